// The preview beside the list of rules, as it is renewed while they are edited.

import * as api from './api.js';
import { el, renew } from './dom.js';
import { preview, refused, summary } from './rulepreview.js';
import { cleaned, cleanedSet, lacks } from './rulewords.js';
import { count } from './words.js';

const shown = 20; // gists in the preview

// text is a set of rules as text, and dirty says that it is not saved.
export const text = (all, rest) => JSON.stringify(cleanedSet(all, rest));
export const dirty = ({ rules: all, rest, saved }) => text(all, rest) !== saved;

// look renews the preview, with one request at a time.
export async function look(state) {
  const missing = lacks(state.rules);
  if (missing && dirty(state)) {
    unseen(state, `Not complete yet: ${missing}`);
    return;
  }
  if (state.looking) {
    state.later = true;
    return;
  }
  state.looking = true;
  state.preview.ariaBusy = 'true';
  try {
    const draft = dirty(state) ? { rules: cleaned(state.rules) } : { present: true };
    const found = await api.previewRules({ ...draft, results: shown }, state.page.signal);
    state.counts = found.rules;
    state.sum.textContent = summary(found);
    renew(state.preview, found, () => preview(found));
  } catch (problem) {
    if (state.page.signal.aborted) return;
    unseen(state, refused(problem));
  } finally {
    state.looking = false;
    state.preview.ariaBusy = null;
  }
  tallies(state);
  if (!state.later) return;
  state.later = false;
  await look(state);
}

// unseen says why there is no preview.
function unseen(state, why) {
  state.counts = null;
  state.sum.textContent = why;
  renew(state.preview, why, () => [el('h2', {}, 'Preview'), el('p', { className: 'quiet' }, why)]);
  tallies(state);
}

// tallies shows beside each rule how many gists it decides about.
export function tallies({ list, counts }) {
  for (const item of list.children) item.querySelector('.tally').textContent = counts ? `Decides about ${counts[item.dataset.rule] ? count(counts[item.dataset.rule]) : 'none'} of these gists` : '';
}
