// The rules that decide which gists become deals: an ordered list, a form for each, and
// beside it what they decide about the last gists.

import * as api from './api.js';
import { button, el, renew } from './dom.js';
import { attempt, back, badge, note, toast } from './parts.js';
import { drag } from './ruledrag.js';
import { form, lastForm } from './ruleform.js';
import { dirty, look, tallies, text } from './rulelook.js';
import { again } from './rulepreview.js';
import { cleanedSet, lacks, limits, sentence } from './rulewords.js';
import { forgetUndo, undoable } from './undo.js';
import { capital } from './words.js';

const settle = 400; // ms after the last change
const last = 'everything else';

let kept = null; // rules that were changed and not saved, while another view is shown

export function rules(page) {
  page.head('Rules', back());
  const state = { page, rules: [], rest: {}, version: 0, saved: '', open: null, counts: null, timer: 0, catalog: null };
  state.list = el('ol', { id: 'rules', className: 'rule-list' });
  state.said = el('p', { className: 'spoken', role: 'status' });
  state.bar = el('div');
  state.sum = el('p', { className: 'quiet rule-sum', attrs: { 'aria-hidden': 'true' } }); // On a phone the preview is below.
  state.notes = el('div', { id: 'rule-notes' });
  state.preview = el('section', { className: 'card rule-preview', id: 'rule-preview', ariaLabel: 'Preview' });
  state.wrong = el('p', { className: 'wrong', role: 'alert', id: 'rules-wrong' });
  const warn = (event) => dirty(state) && event.preventDefault();
  window.addEventListener('beforeunload', warn);
  page.signal.addEventListener('abort', () => {
    clearTimeout(state.timer);
    window.removeEventListener('beforeunload', warn);
    kept = page.admin && dirty(state) ? { rules: state.rules, rest: state.rest, version: state.version, saved: state.saved } : null;
  });
  return page.keep(() => read(state));
}

async function read(state) {
  const { page } = state;
  const [now, catalog] = await Promise.all([api.rules(page.signal), api.ruleCatalog(page.signal)]);
  const first = !state.catalog;
  state.catalog = catalog;
  if (first && kept) Object.assign(state, kept);
  if (!dirty(state) || (first && !kept)) take(state, now);
  else if (now.version !== state.version && !state.notes.firstChild) conflict(state);
  if (!page.shown) page.show(el('p', { className: 'quiet' }, 'The first rule that matches a gist decides. Rules are about gists that are noticed after you save them.'), state.notes, el('div', { className: 'two' }, el('section', { className: 'card', id: 'rule-card' }, el('h2', {}, 'In this order'), state.list, state.said, el('div', { className: 'rule-bar' }, state.wrong, state.sum, state.bar)), state.preview));
  if (first) {
    draw(state);
    look(state);
  }
}

// take shows the rules as they are saved.
function take(state, { rules: all, everything_else: rest = {}, version }) {
  if (state.version === version && state.saved) return;
  Object.assign(state, { rules: all, rest, version, saved: text(all, rest), open: null });
  forgetUndo(); // A removed rule is saved, or back.
  state.notes.replaceChildren();
  state.wrong.textContent = '';
  if (state.page.shown) {
    draw(state);
    look(state);
  }
}

function draw(state) {
  state.list.replaceChildren(...state.rules.map((rule, at) => line(state, rule, at)), lastLine(state));
  bar(state);
  tallies(state);
}

// lastLine is the last rule, with the form of its limits if it is open.
function lastLine(state) {
  const { rest, page: { admin } } = state;
  const what = el('p', { className: 'quiet' });
  const item = el('li', { data: { rule: last } }, el('div', { className: 'rule-text' }, el('p', { className: 'strong' }, 'Everything else'), what, tally()));
  const renewed = () => { what.textContent = `Any other gist: create the deal with the usual title and fields${limits(rest)}. This rule is always the last one.`; };
  if (admin) {
    const open = state.open === rest;
    item.append(el('div', { className: 'small line rule-acts' }, button(open ? 'Close' : 'Limits', () => toggle(state, rest, open), { ariaLabel: `${open ? 'Close' : 'Limits of'} everything else`, data: { act: 'edit' }, ariaExpanded: String(open) })));
    if (open) item.append(lastForm(rest, () => { renewed(); touched(state); }));
  }
  renewed();
  return item;
}

const tally = () => el('p', { className: 'quiet tally' });

// line is a rule in the list, with its form if it is open.
function line(state, rule, at) {
  const { rules: all, page: { admin } } = state;
  const what = el('p', { className: 'quiet', dir: 'auto' });
  const name = el('p', { className: 'strong', dir: 'auto' });
  const act = (word, run, props) => button(word, run, { ariaLabel: `${word} ${rule.name || `rule ${at + 1}`}`, ...props });
  const on = el('input', { type: 'checkbox', checked: !rule.off, ariaLabel: `Use ${rule.name || `rule ${at + 1}`}`, data: { act: 'on' } });
  const item = el('li', { data: { rule: rule.name, off: String(!!rule.off) } });
  const renewed = () => {
    name.textContent = `${at + 1}. ${rule.name || 'New rule'}`;
    what.textContent = capital(sentence(rule));
    item.dataset.rule = rule.name;
    item.dataset.off = String(!!rule.off);
  };
  const changed = () => {
    renewed();
    touched(state);
  };
  on.onchange = () => {
    rule.off = !on.checked;
    changed();
  };
  const paused = !rule.off && state.catalog.paused[rule.name];
  const open = state.open === rule;
  item.append(
    el('div', { className: 'rule-text' }, name, what, paused && el('p', {}, badge('bad', 'pause', 'Paused'), ' ', el('span', { className: 'reason' }, capital(paused))), rule.off && !admin && badge('none', 'pause', 'Off'), tally()));
  if (admin) {
    const handle = el('span', { className: 'handle', draggable: true, title: 'Drag to another place', attrs: { 'aria-hidden': 'true' } }, '⠿');
    drag(state, item, handle, rule, move);
    item.prepend(handle);
    item.append(el('div', { className: 'small line rule-acts' },
      el('label', { className: 'on' }, on, el('span', { attrs: { 'aria-hidden': 'true' } }, 'On')),
      act('Up', () => move(state, rule, at - 1, 'up'), { disabled: at === 0, data: { act: 'up' } }),
      act('Down', () => move(state, rule, at + 1, 'down'), { disabled: at === all.length - 1, data: { act: 'down' } }),
      act(open ? 'Close' : 'Edit', () => toggle(state, rule, open), { data: { act: 'edit' }, ariaExpanded: String(open) }),
      act('Delete', () => removed(state, rule, at), { kind: 'danger', data: { act: 'delete' } })));
    item.onkeydown = (event) => {
      const step = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step || !all[at + step]) return;
      event.preventDefault();
      move(state, rule, at + step, step < 0 ? 'up' : 'down');
    };
    if (open) item.append(form(rule, state.catalog, changed));
  }
  renewed();
  return item;
}

// move puts a rule at another place, and the focus back on its control.
function move(state, rule, to, act) {
  state.rules.splice(state.rules.indexOf(rule), 1);
  state.rules.splice(to, 0, rule);
  draw(state);
  focus(state, to, act);
  state.said.textContent = `${rule.name || 'The rule'} is now number ${to + 1} of ${state.rules.length}`;
  touched(state);
}

function focus(state, at, act) {
  const item = state.list.children[at];
  const wanted = item?.querySelector(`[data-act="${act}"]:not(:disabled)`) ?? item?.querySelector('[data-act="edit"]');
  (wanted ?? state.bar.querySelector('button'))?.focus();
}

function toggle(state, rule, open) {
  state.open = open ? null : rule;
  draw(state);
  const at = rule === state.rest ? state.rules.length : state.rules.indexOf(rule);
  if (open) focus(state, at, 'edit');
  else state.list.children[at].querySelector('form input').focus();
}

function removed(state, rule, at) {
  state.rules.splice(at, 1);
  if (state.open === rule) state.open = null;
  draw(state);
  focus(state, Math.min(at, state.rules.length - 1), 'edit');
  touched(state);
  const back = () => {
    const place = Math.min(at, state.rules.length);
    state.rules.splice(place, 0, rule);
    draw(state);
    focus(state, place, 'edit');
    touched(state);
  };
  undoable(state.page, `${rule.name || 'The rule'} removed from the list, not saved yet`, back, { done: `${rule.name || 'The rule'} is back`, unsaved: true });
}

function touched(state) {
  bar(state);
  state.wrong.textContent = '';
  clearTimeout(state.timer);
  state.timer = setTimeout(() => look(state), settle);
}

// bar has the actions on the whole list.
function bar(state) {
  const { page, rules: all, version } = state;
  const changed = dirty(state);
  renew(state.bar, [changed, version, all.length >= 200], () => {
    if (!page.admin) return el('p', { className: 'quiet' }, 'Only admin tokens can change rules.', page.may && version > 0 && [' ', button('Apply again…', () => again(), { id: 'apply-again' })]);
    const add = button('Add a rule', () => toggle(state, added(state), false), { id: 'add-rule', mark: 'new', disabled: all.length >= 200 });
    return el('div', { className: 'line' }, add,
      changed && [button('Save', () => save(state), { id: 'save-rules', kind: 'primary' }), button('Discard changes', () => discard(state), { id: 'discard-rules' })],
      !changed && version > 0 && button('Apply again…', () => again(), { id: 'apply-again' }));
  });
}

function added(state) {
  const rule = { name: '', action: 'create', all: [], any: [], none: [] };
  state.rules.push(rule);
  touched(state);
  return rule;
}

async function discard(state) {
  const now = await attempt(() => api.rules(state.page.signal));
  if (!now) return;
  state.saved = '';
  take(state, now);
  state.bar.querySelector('button')?.focus();
}

async function save(state) {
  state.wrong.textContent = capital(lacks(state.rules));
  if (state.wrong.textContent) return;
  try {
    take(state, await api.saveRules(cleanedSet(state.rules, state.rest), state.version));
  } catch (problem) {
    if (problem.status === 412) {
      conflict(state);
      state.notes.querySelector('button').focus();
    } else state.wrong.textContent = capital(problem.message);
    return;
  }
  toast('Saved. Applies to gists that are noticed from now on.');
  state.bar.querySelector('button')?.focus();
  await again(true);
}

// conflict tells that somebody else saved rules since these were read.
function conflict(state) {
  state.notes.replaceChildren(note('warn', 'users',
    el('p', { className: 'strong' }, 'Somebody else has saved rules meanwhile'),
    el('p', {}, 'Your changes are not saved. Discard yours to see the other rules, or keep yours: the next save then replaces the others.'),
    el('div', { className: 'line' }, button('Discard mine', () => discard(state), { data: { act: 'theirs' } }), button('Keep mine', async () => {
      const now = await attempt(() => api.rules(state.page.signal));
      if (!now) return;
      Object.assign(state, { version: now.version, saved: text(now.rules, now.everything_else ?? {}) });
      state.notes.replaceChildren();
      bar(state);
    }, { data: { act: 'mine' } }))));
}
