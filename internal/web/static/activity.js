// Runs of scans, sweeps and pushes with their results and costs. Runs in progress
// come first.

import * as api from './api.js';
import { el, icon, keyed, renew } from './dom.js';
import { running } from './operations.js';
import { attempt, chips, empty, more, when } from './parts.js';
import { capital, count, counted, localTimes, runKinds, span } from './words.js';

const pollBusy = 2000; // ms between requests while a run is in progress
const pollIdle = 5000;
const part = 50; // runs per request
const most = 500; // runs in one response

export function activity(page) {
  page.head('Activity', el('a', { href: '#/operations', className: 'button' }, 'Bulk operations'));
  const kind = page.query.get('kind') ?? '';
  const state = { page, kind: runKinds[kind] ? kind : '', all: [], next: '', open: new Set() };
  page.rows = () => state.all.length;
  state.first = page.restored.rows;
  state.now = el('ul', { className: 'in-progress', id: 'in-progress' });
  state.past = el('ul', { className: 'runs card', id: 'runs' });
  for (const name of ['none', 'rest']) state[name] = el('div');
  let timer = 0;
  page.signal.addEventListener('abort', () => clearTimeout(timer));
  const soon = () => {
    clearTimeout(timer);
    if (page.signal.aborted) return;
    timer = setTimeout(() => (document.hidden ? soon() : page.poll().finally(soon)), state.now.childElementCount ? pollBusy : pollIdle);
  };
  return page.keep(() => read(state).finally(soon));
}

// read reads as many runs as are shown now.
async function read(state) {
  const { page, kind } = state;
  const limit = Math.min(most, Math.max(part, state.all.length, state.first));
  state.first = 0;
  const [{ runs: now }, { runs, next = '' }] = await Promise.all([
    api.runs({ kind, in_progress: true }, page.signal), api.runs({ kind, limit }, page.signal),
  ]);
  Object.assign(state, { all: runs, next });
  keyed(state.now, now, ({ id }) => id, inProgress);
  draw(state);
}

function draw(state) {
  const { page, kind, all, next } = state;
  const past = all.filter((run) => run.ended_at);
  keyed(state.past, grouped(past), ({ id }) => id, (one) => (one.runs ? group(one, state.open) : row(one)));
  state.past.hidden = !past.length;
  renew(state.none, [past.length > 0, kind], () => (past.length ? '' : nothing(kind, page.may)));
  renew(state.rest, next, () => more(next, () => attempt(() => further(state))));
  if (!page.shown) page.show(tabs(kind), running(page), state.now, state.past, state.none, state.rest);
}

// eventful says that a run found, created or failed something.
const eventful = ({ gists, deals, failed, problem }) => gists > 0 || deals > 0 || failed > 0 || problem;

// grouped folds runs without an event that follow one another into one item.
function grouped(runs) {
  const items = [];
  for (const run of runs) {
    const last = items.at(-1);
    if (eventful(run)) items.push(run);
    else if (last?.runs) last.runs.push(run);
    else items.push({ runs: [run] });
  }
  // The oldest run names the group, so that it stays the same when a newer one joins it.
  return items.map((one) => (!one.runs ? one : one.runs.length === 1 ? one.runs[0] : { ...one, id: `group-${one.runs.at(-1).id}` }));
}

function group({ id, runs }, open) {
  const kinds = new Set(runs.map(({ kind }) => kind));
  const word = kinds.size === 1 ? { scan: 'scans', sweep: 'scheduled scans', push: 'batches of deals' }[runs[0].kind] : 'runs';
  const list = el('ul', { className: 'runs' });
  const details = el('details', { open: open.has(id) }, el('summary', {}, 'Show them'), list);
  const fill = () => details.open && list.replaceChildren(...runs.map(row));
  details.ontoggle = () => {
    if (details.open) open.add(id);
    else open.delete(id);
    fill();
  };
  fill();
  return el('li', { tabIndex: -1, data: { group: String(runs.length), state: 'skipped' } }, icon('skipped'),
    el('div', {}, el('p', { className: 'facts' }, el('span', { className: 'strong' }, `${count(runs.length)} ${word} without anything new`), when(runs[0].ended_at), ' to ', when(runs.at(-1).ended_at)), details));
}

async function further(state) {
  const { runs, next = '' } = await api.runs({ kind: state.kind, limit: part, cursor: state.next }, state.page.signal);
  state.all.push(...runs);
  state.next = next;
  draw(state);
  state.past.querySelector(`[data-key="${runs[0]?.id}"]`)?.focus();
}

const tabs = (kind) => chips('Filter by kind', [
  { word: 'All', href: '#/activity', on: !kind },
  ...Object.entries(runKinds).map(([name, { many, mark }]) => ({ word: many, mark, href: `#/activity?kind=${name}`, on: name === kind, data: { only: name } })),
]);

const nothing = (kind, may) => (kind
  ? empty(runKinds[kind].mark, `No ${runKinds[kind].many.toLowerCase()} yet`, runKinds[kind].none, el('a', { href: '#/activity' }, 'Show all'))
  : empty('again', 'No activity yet', 'Scans and new deals appear here once you track a user.',
    may && el('a', { href: '#/add', className: 'button primary' }, 'Add users')));

const title = ({ kind, login }) => [
  runKinds[kind].word, kind === 'scan' && [' of ', login ? el('a', { href: `#/users/${encodeURIComponent(login)}` }, login) : 'a removed user'],
];

// inProgress shows a run in progress, as it was last recorded.
function inProgress(run) {
  const { kind, done, total } = run;
  const unit = runKinds[kind].unit;
  const text = total ? `${count(done)} of ${counted(total, unit)}` : `${counted(done, unit)} so far`;
  const bar = el('progress', { max: total || 1, ...(total && { value: done }), ariaLabel: `${runKinds[kind].word}${run.login ? ` of ${run.login}` : ''}: ${text}` }, text);
  return el('li', { className: 'card', data: { run: kind, state: 'sending' } },
    el('div', { className: 'between' },
      el('h2', {}, icon(runKinds[kind].mark), el('span', {}, title(run))), el('p', { className: 'badge' }, icon('sending'), 'In progress')),
    bar,
    el('p', { className: 'strong' }, text, pace(run)),
    el('p', { className: 'quiet' }, sum(run), ' · started ', when(run.started_at)));
}

// pace shows the speed of a run and the time left, by the server's clock.
function pace({ started_at: started, updated_at: updated, done, total }) {
  const seconds = (new Date(updated) - new Date(started)) / 1000;
  if (!(seconds > 0 && done > 0)) return '';
  const rate = done / seconds;
  const fast = rate >= 1 ? `${count(Math.round(rate))} a second` : `${count(Math.max(1, Math.round(rate * 60)))} a minute`;
  return ` · ${fast}${total > done ? ` · about ${span((total - done) / rate)} left` : ''}`;
}

// row shows a run that has ended.
function row(run) {
  const { kind, started_at: started, ended_at: ended, problem, failed } = run;
  const bad = problem || failed > 0;
  return el('li', { tabIndex: -1, data: { run: kind, state: bad ? 'failed' : 'created' } },
    icon(runKinds[kind].mark),
    el('div', {},
      el('p', { className: 'facts' }, el('span', { className: 'strong' }, title(run)), when(ended), el('span', {}, 'took ', span((new Date(ended) - new Date(started)) / 1000))),
      el('p', { className: 'quiet' }, [progress(run), sum(run)].filter(Boolean).join(' · ')),
      problem && el('p', { className: 'reason', dir: 'auto' }, capital(localTimes(problem)))),
    el('p', { className: 'badge' }, icon(bad ? 'failed' : 'created'), problem ? 'Failed' : failed ? `${count(failed)} failed` : 'Done'));
}

// progress shows the part of a run that is done, '' for an empty run.
function progress({ kind, done, total }) {
  const { unit } = runKinds[kind];
  if (total > done) return `${count(done)} of ${counted(total, unit)}`;
  return done ? `${counted(done, unit)}${kind === 'push' ? ' sent' : ''}` : '';
}

// sum shows the results and costs of a run.
const sum = ({ kind, gists, deals, requests, tokens }) => [
  kind === 'push' ? `${counted(deals, 'deal')} created` : gists ? counted(gists, 'new gist') : 'No new gists',
  requests > 0 && counted(requests, 'request'), tokens > 0 && counted(tokens, 'token'),
].filter(Boolean).join(' · ');
