// A gist with its deal, as a row of a list.

import * as api from './api.js';
import { button, el, icon, outside } from './dom.js';
import { attempt, confirm, copying, dealBadge, dialog, empty, when } from './parts.js';
import { undoable } from './undo.js';
import { bytes, capital, counted, exactly, fileName, localTimes, outcomes } from './words.js';

const filesShown = 6;
const retryable = ['failed', 'skipped', 'awaiting_approval'];
const skippable = ['failed', 'queued', 'awaiting_approval'];

function filesOf(files) {
  const links = (some) => some.map((file) => outside(file.raw_url, fileName(file), { title: [file.language, file.size > 0 && bytes(file.size)].filter(Boolean).join(', ') }));
  const rest = files.slice(filesShown);
  return el('div', { className: 'files' }, links(files.slice(0, filesShown)),
    rest.length > 0 && el('details', {}, el('summary', {}, `${counted(rest.length, 'more file')}`), links(rest)));
}

// row shows a gist in a view. It calls changed after an action on the deal.
export function row(gist, { page, isNew = false, login = '', noticed = '', changed }) {
  const description = gist.description.trim();
  const title = description || 'Untitled';
  return el('li', { className: 'gist', data: { gist: gist.id, state: gist.state } },
    el('div', { className: 'main' },
      el('p', { className: 'title' }, isNew && el('span', { className: 'new' }, 'New'),
        outside(gist.url, title, { title: description, className: description ? '' : 'untitled' })),
      el('div', { className: 'about' },
        login && el('a', { href: `#/users/${encodeURIComponent(login)}` }, login),
        gist.changed_at && el('span', {}, 'changed ', when(gist.changed_at)),
        noticed ? el('span', {}, 'noticed ', when(noticed)) : gist.created_at && el('span', {}, 'created ', when(gist.created_at)),
        gist.fork && el('span', {}, 'fork'),
        gist.comments > 0 && el('span', {}, counted(gist.comments, 'comment')),
        gist.files && filesOf(gist.files))),
    el('div', { className: 'deal' }, dealOf(gist, page, changed)));
}

// dealOf shows the state of a gist's deal, with its actions.
function dealOf(gist, page, changed) {
  const about = `deal for “${gist.description.trim().slice(0, 60) || gist.id}”`;
  return [
    el('div', { className: 'state' }, dealBadge(gist.state),
      gist.deal_id > 0 && outside(gist.deal_url || '', `#${gist.deal_id}`, { className: 'number', title: 'Open in Pipedrive' }),
      button('History', () => showHistory(gist.id), { kind: 'plain', ariaLabel: `History of the ${about}`, data: { act: 'history' } })),
    gist.problem && el('p', { className: 'reason', dir: 'auto' }, localTimes(gist.problem)),
    page.may && [...retryable, ...skippable].includes(gist.state) && el('div', { className: 'line small' },
      retryable.includes(gist.state) && button(gist.state === 'awaiting_approval' ? 'Approve' : 'Retry', () => retry(gist, changed), { mark: gist.state === 'awaiting_approval' ? 'created' : 'again', ariaLabel: `${gist.state === 'awaiting_approval' ? 'Approve' : 'Retry'} the ${about}`, data: { act: 'retry' } }),
      skippable.includes(gist.state) && button('Skip', () => skip(gist, page, changed), { kind: 'plain', ariaLabel: `Skip the ${about}`, data: { act: 'skip' } })),
  ];
}

async function retry(gist, changed) {
  const answer = await attempt(() => api.retry({ gists: [gist.id] }));
  if (!answer) return;
  const [result] = answer.results;
  await attempt(() => {
    if (answer.deals === 0) throw Object.assign(new Error(result.reason), { title: 'Not retried' });
  }, gist.state === 'awaiting_approval' ? 'Deal approved and queued' : 'Retry queued');
  changed();
}

// skip skips a deal. Only a queued one comes back as it was: an approval or another attempt
// would be more than that.
async function skip(gist, page, changed) {
  const note = await confirm('Skip this deal?', 'No deal is created for this gist unless you retry it later.', 'Skip deal', { label: 'Reason', required: true });
  if (note === null) return;
  const undo = gist.state === 'queued';
  const answer = await attempt(() => api.skip({ gists: [gist.id] }, note), ({ results: [r] }) => (r.result !== 'skipped' ? capital(r.reason) : undo ? '' : 'Deal skipped'));
  if (!answer) return;
  if (undo && answer.deals) undoable(page, 'Deal skipped', () => unskip(gist), { done: 'Deal queued again', changed });
  changed();
}

async function unskip({ id }) {
  const { deals } = await api.retry({ gists: [id], states: ['skipped'] });
  if (!deals) throw new api.Problem(409, 'Not undone', 'the deal is not skipped any more');
}

const noticed = { 'first scan': 'Found by the first scan', scan: 'Found by a scan', feed: 'Found in GitHub’s feed of new gists' };

// showHistory shows the history of a gist and its deal.
export async function showHistory(id) {
  const history = await attempt(() => api.explain(id));
  if (!history) return;
  const gist = history.gist ?? { description: '' }; // Left out if only the deal is known.
  const steps = [
    gist.created_at && step('queued', 'Gist created on GitHub', gist.created_at),
    history.noticed_at && step('queued', noticed[history.noticed_by] ?? 'Found', history.noticed_at),
    ...history.attempts.map(attempted),
    history.queued_at && step('queued', 'Deal queued', history.queued_at),
  ].filter(Boolean);
  dialog(gist.description.trim().slice(0, 80) || 'Untitled',
    el('p', { className: 'state' }, dealBadge(history.state), history.deal_id > 0 && outside(history.deal_url, `#${history.deal_id}`)),
    history.problem && el('p', { className: 'reason', dir: 'auto' }, localTimes(history.problem)),
    steps.length ? el('ol', { className: 'history' }, steps) : empty('queued', 'No history yet', 'The deal is queued.'),
    history.duplicates.length > 0 && el('p', {}, `Pipedrive has duplicate deals for this gist: ${history.duplicates.map((deal) => `#${deal.deal_id}`).join(', ')}. gistdeal never deletes deals by itself. Keep one and delete the others in Pipedrive.`),
    el('div', { className: 'line small' }, el('span', { className: 'quiet' }, `Gist ID ${history.gist_id}`), copying('Copy gist ID', history.gist_id), history.deal_url && copying('Copy deal link', history.deal_url)));
}

const step = (state, text, time, more = '') =>
  el('li', { data: { state } }, icon(state), el('div', {}, el('p', {}, text), time && el('p', { className: 'quiet' }, exactly(time)), more && el('p', { className: 'quiet', dir: 'auto' }, localTimes(more))));

function attempted({ n, sent_at: sent, ended_at: ended, outcome, lookups, reason }) {
  const { word, state } = ended ? outcomes[outcome] ?? { word: outcome, state: 'sending' } : { word: 'waiting for the outcome', state: 'sending' };
  const after = lookups > 0 ? ` after ${counted(lookups, 'lookup')} in Pipedrive` : '';
  return step(state, `Attempt ${n}: ${word.charAt(0).toLowerCase()}${word.slice(1)}${after}`, sent, reason);
}
