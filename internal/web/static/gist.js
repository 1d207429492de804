// A gist with its deal, as a row of a list.

import * as api from './api.js';
import { button, el, icon, outside } from './dom.js';
import { attempt, confirm, dealBadge, dialog, empty, when } from './parts.js';
import { capital, counted, exactly, fileName, localTimes, outcomes } from './words.js';

const filesShown = 6;
const retried = ['failed', 'skipped', 'awaiting_approval'];
const skipped = ['failed', 'queued', 'awaiting_approval'];

function filesOf(files) {
  const links = (some) => some.map((file) => outside(file.raw_url, fileName(file)));
  const rest = files.slice(filesShown);
  return el('div', { className: 'files' }, links(files.slice(0, filesShown)),
    rest.length > 0 && el('details', {}, el('summary', {}, `${counted(rest.length, 'more file')}`), links(rest)));
}

// row shows a gist. changed is called after a change of its deal.
export function row(gist, { may, isNew = false, login = '', changed }) {
  const description = gist.description.trim();
  const title = description || 'untitled';
  return el('li', { className: 'gist', data: { gist: gist.id, state: gist.state } },
    el('div', { className: 'main' },
      el('p', { className: 'title' }, isNew && el('span', { className: 'new' }, 'New'),
        outside(gist.url, title, { title: description, className: description ? '' : 'untitled' })),
      el('div', { className: 'about' },
        login && el('a', { href: `#/users/${encodeURIComponent(login)}` }, login),
        gist.created_at && el('span', {}, 'created ', when(gist.created_at)),
        gist.files && filesOf(gist.files))),
    el('div', { className: 'deal' }, dealOf(gist, may, changed)));
}

// dealOf shows the deal of a gist and its actions.
function dealOf(gist, may, changed) {
  const about = `the deal of ${gist.description.trim().slice(0, 60) || gist.id}`;
  return [
    el('div', { className: 'state' }, dealBadge(gist.state),
      gist.deal_id > 0 && outside(gist.deal_url || '', `#${gist.deal_id}`, { className: 'number', title: 'Open the deal in Pipedrive' }),
      button('Why?', () => why(gist.id), { kind: 'plain', ariaLabel: `Why? The history of ${about}`, data: { act: 'why' } })),
    gist.problem && el('p', { className: 'reason', dir: 'auto' }, localTimes(gist.problem)),
    may && [...retried, ...skipped].includes(gist.state) && el('div', { className: 'line small' },
      retried.includes(gist.state) && button(gist.state === 'awaiting_approval' ? 'Approve' : 'Retry', () => retry(gist, changed), { mark: 'again', ariaLabel: `Retry ${about}`, data: { act: 'retry' } }),
      skipped.includes(gist.state) && button('Skip', () => skip(gist, changed), { kind: 'plain', ariaLabel: `Skip ${about}`, data: { act: 'skip' } })),
  ];
}

async function retry(gist, changed) {
  const turned = await attempt(() => api.retry({ gists: [gist.id] }));
  if (!turned) return;
  const [result] = turned.results;
  await attempt(() => {
    if (turned.deals === 0) throw Object.assign(new Error(result.reason), { title: 'Not retried' });
  }, 'Retry queued');
  changed();
}

async function skip(gist, changed) {
  const note = await confirm('Skip this deal?', 'The gist gets no deal until you retry it.', 'Skip', { ask: 'Reason', needed: true });
  if (note === null) return;
  if (await attempt(() => api.skip({ gists: [gist.id] }, note), ({ results: [r] }) => (r.result === 'skipped' ? 'Skipped' : capital(r.reason)))) changed();
}

// why shows the history of a gist and its deal.
export async function why(id) {
  const history = await attempt(() => api.explain(id));
  if (!history) return;
  const gist = history.gist ?? { description: '' }; // Only its deal may be known.
  const steps = [
    gist.created_at && step('queued', 'Created on GitHub', gist.created_at),
    history.noticed_at && step('queued', `Noticed by ${history.noticed_by || 'gistdeal'}`, history.noticed_at),
    ...history.attempts.map(attempted),
    history.queued_at && step('queued', 'Queued', history.queued_at),
  ].filter(Boolean);
  dialog(gist.description.trim().slice(0, 80) || 'untitled',
    el('p', { className: 'state' }, dealBadge(history.state), history.deal_id > 0 && outside(history.deal_url, `#${history.deal_id}`)),
    history.problem && el('p', { className: 'reason', dir: 'auto' }, localTimes(history.problem)),
    steps.length ? el('ol', { className: 'history' }, steps) : empty('queued', 'No activity yet', 'The deal is queued.'),
    history.duplicates.length > 0 && el('p', {}, `Pipedrive has more deals of this gist: ${history.duplicates.map((deal) => deal.deal_id).join(', ')}. Delete all but one in Pipedrive.`),
    el('p', { className: 'quiet' }, `Gist ${history.gist_id}`));
}

const step = (state, text, time, more = '') =>
  el('li', { data: { state } }, icon(state), el('div', {}, el('p', {}, text), time && el('p', { className: 'quiet' }, exactly(time)), more && el('p', { className: 'quiet', dir: 'auto' }, localTimes(more))));

function attempted({ n, sent_at: sent, ended_at: ended, outcome, lookups, reason }) {
  const { word, state } = ended ? outcomes[outcome] ?? { word: outcome, state: 'sending' } : { word: 'in doubt', state: 'sending' };
  const after = lookups > 0 ? ` after ${counted(lookups, 'lookup')} in Pipedrive` : '';
  return step(state, `Attempt ${n}: ${word.charAt(0).toLowerCase()}${word.slice(1)}${after}`, sent, reason);
}
