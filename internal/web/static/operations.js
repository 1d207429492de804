// Bulk operations: those in progress, and the progress and results of one. The server does
// the work, so that leaving the page stops nothing.

import * as api from './api.js';
import { button, el, icon, keyed, renew, spoken } from './dom.js';
import { attempt, confirm, copying, empty, more, when } from './parts.js';
import { named } from './quick.js';
import { capital, count, counted } from './words.js';

const pollBusy = 1000; // ms between requests while an operation is in progress
const pollIdle = 5000;
const part = 100; // results per request

const titles = {
  add_users: 'Add users', retry_deals: 'Retry deals', skip_deals: 'Skip deals', decide_deals: 'Apply the rules',
  pause: 'Pause users', resume: 'Resume users', remove: 'Remove users', approve: 'Approve users', scan: 'Scan users',
};

const states = {
  queued: { word: 'Queued', mark: 'queued', tone: 'warn' },
  running: { word: 'In progress', mark: 'sending', tone: 'info' },
  canceling: { word: 'Canceling', mark: 'sending', tone: 'warn' },
  completed: { word: 'Completed', mark: 'created', tone: 'good' },
  canceled: { word: 'Canceled', mark: 'skipped', tone: 'none' },
};

// resultWords are the results of single users and deals.
export const resultWords = {
  added: { word: 'Added', mark: 'created', tone: 'good' },
  tracked: { word: 'Already tracked', mark: 'created', tone: 'none' },
  waiting: { word: 'Waiting for GitHub', mark: 'queued', tone: 'warn' },
  pending: { word: 'Waiting', mark: 'queued', tone: 'none' },
  canceled: { word: 'Canceled', mark: 'skipped', tone: 'none' },
  unchanged: { word: 'Unchanged', mark: 'skipped', tone: 'none' },
  invalid: { word: 'Not valid', mark: 'failed', tone: 'bad' },
  not_found: { word: 'Not found', mark: 'failed', tone: 'bad' },
  refused: { word: 'Refused', mark: 'failed', tone: 'bad' },
};

const title = ({ kind, change }) => titles[change ?? kind] ?? capital(kind);
const address = ({ id }) => `#/operations/${encodeURIComponent(id)}`;

// counts lists the number of each result.
export const counts = (results) => Object.entries(results).map(([result, n]) => `${count(n)} ${(resultWords[result]?.word ?? result).toLowerCase()}`).join(' · ');

// follow shows an operation that has begun.
export const follow = (op) => (location.hash = address(op));

// resultsTable is an empty table of results, with its body.
export function resultsTable() {
  const lines = el('tbody');
  const head = el('thead', {}, el('tr', {}, ['Input', 'Result', 'Reason'].map((word) => el('th', { scope: 'col' }, word))));
  return { table: el('table', {}, head, lines), lines };
}

export function resultLine({ input, result, reason = '' }) {
  const { word = capital(result), mark = 'created', tone = 'good' } = resultWords[result] ?? {};
  const there = ['added', 'tracked'].includes(result);
  return el('tr', { data: { input, result } },
    el('th', { scope: 'row' }, there && input ? el('a', { href: `#/users/${encodeURIComponent(named(input))}` }, input) : input || 'erased'),
    el('td', {}, el('span', { className: 'badge', data: { tone } }, icon(mark), word)),
    el('td', { className: 'quiet' }, reason && result !== 'tracked' ? capital(reason) : spoken('none')));
}

// hasFailed says that a user was not added, and will not be without a change.
export const hasFailed = ({ result }) => resultWords[result]?.tone === 'bad';

// copyFailed copies the input of n results, one a line.
export const copyFailed = (n, text) => el('div', { className: 'line' }, copying(`Copy the ${counted(n, 'failed one')}`, text, { data: { act: 'copy-failed' } }));

// running lists the operations in progress, while the page is shown. It is empty if there
// are none.
export function running(page) {
  const list = el('ul', { className: 'in-progress', id: 'operations' });
  poll(page, async () => {
    const { operations } = await api.operations({ in_progress: true }, page.signal);
    keyed(list, operations, ({ id }) => id, (op) => el('li', { className: 'card', data: { operation: op.id } }, head(op, el('h2', {}, el('a', { href: address(op) }, title(op)))), progress(op)));
    return operations.length > 0;
  });
  return list;
}

// poll calls read until it fails to matter: more often while read says that work goes on.
function poll(page, read) {
  let timer = 0;
  const again = (busy) => {
    if (!page.signal.aborted) timer = setTimeout(now, busy ? pollBusy : pollIdle);
  };
  const now = () => (document.hidden ? again(false) : read().then(again, () => again(false)));
  page.signal.addEventListener('abort', () => clearTimeout(timer));
  return now();
}

function head(op, heading) {
  const { word, mark, tone } = states[op.state] ?? states.running;
  return el('div', { className: 'between' }, heading, el('p', { className: 'badge', data: { tone } }, icon(mark), word));
}

function progress(op) {
  const { done, total, problems, created_at: created, caller } = op;
  const text = `${count(done)} of ${count(total)}`;
  return [
    el('progress', { max: total || 1, value: done, ariaLabel: `${title(op)}: ${text}` }, text),
    el('p', { className: 'strong', role: 'status' }, `${text}${problems ? ` · ${counted(problems, 'problem')}` : ''}`),
    el('p', { className: 'quiet' }, counts(op.results), ' · begun ', when(created), caller && ` by ${caller}`),
  ];
}

const backfillMeans = (backfill) => ({ all: 'New users get a deal for each gist.', none: 'New users get deals for new gists only.' }[backfill] ?? `New users get deals for gists created since ${backfill}.`);

// operation shows one operation.
export function operation(page) {
  const { login: id } = page;
  page.head('Bulk operation', el('a', { href: '#/users', className: 'button' }, 'Back to users'));
  const state = { page, id, all: [], next: '', top: el('section', { className: 'card', id: 'operation' }), rest: el('div'), ...resultsTable() };
  let busy = false;
  const first = page.keep(async () => {
    busy = await read(state);
    if (!page.shown) page.show(state.top, el('section', { className: 'card' }, el('h2', {}, 'Results'), state.table, state.rest));
  });
  first.then(() => poll(page, async () => (busy ? (busy = await read(state)) : false)));
  return first;
}

// read reads the operation and as many results as are shown now. It reports whether the
// operation is in progress.
async function read(state) {
  const { page, id } = state;
  const [op, { results, next = '' }] = await Promise.all([api.operation(id, page.signal), api.operationResults(id, { limit: Math.min(500, Math.max(part, state.all.length)) }, page.signal)]);
  Object.assign(state, { all: results, next });
  const ended = Boolean(op.ended_at);
  state.top.dataset.state = op.state;
  renew(state.top, op, () => [
    head(op, el('h2', {}, title(op))), progress(op),
    op.backfill && el('p', {}, backfillMeans(op.backfill)),
    op.note && el('p', { dir: 'auto' }, `Reason: ${op.note}`),
    op.problems > 0 && copyFailed(op.problems, () => failed(op)),
    !ended && el('p', { className: 'quiet' }, 'You can leave this page; the work goes on.'),
    !ended && page.may && op.state !== 'canceling' && el('div', { className: 'line' }, button('Cancel', () => cancel(state), { kind: 'danger', data: { act: 'cancel' } })),
  ]);
  draw(state);
  return !ended;
}

function draw(state) {
  keyed(state.lines, state.all, ({ n }) => n, resultLine);
  renew(state.rest, state.next, () => more(state.next, () => attempt(() => further(state))));
}

async function further(state) {
  const { results, next = '' } = await api.operationResults(state.id, { limit: part, cursor: state.next }, state.page.signal);
  state.all.push(...results);
  state.next = next;
  draw(state);
}

// failed returns the input of all problems, one a line. The results begin with them.
async function failed({ id, problems }) {
  const inputs = [];
  for (let cursor = ''; inputs.length < problems;) {
    const { results, next } = await api.operationResults(id, { limit: 500, cursor });
    inputs.push(...results.map(({ input }) => input));
    if (!next) break;
    cursor = next;
  }
  return inputs.slice(0, problems).filter(Boolean).join('\n');
}

async function cancel(state) {
  if ((await confirm('Cancel this operation?', 'What was done stays.', 'Cancel operation', { danger: true })) === null) return;
  if (await attempt(() => api.cancelOperation(state.id), 'Canceled')) await attempt(() => read(state));
}

// operations lists all operations.
export function operations(page) {
  page.head('Bulk operations');
  const list = el('ul', { className: 'in-progress' });
  return page.keep(async () => {
    const { operations: all } = await api.operations({ limit: 100 }, page.signal);
    keyed(list, all, ({ id }) => id, (op) => el('li', { className: 'card', data: { operation: op.id } }, head(op, el('h2', {}, el('a', { href: address(op) }, title(op)))), progress(op)));
    page.show(all.length ? list : empty('users', 'No bulk operations', 'Changes of more than 100 users or deals appear here.'));
  });
}
