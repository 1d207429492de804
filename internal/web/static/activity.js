// What scans, sweeps and pushes found and cost; those that go on come first.

import * as api from './api.js';
import { el, icon, keyed, renew } from './dom.js';
import { attempt, chips, empty, more, when } from './parts.js';
import { capital, count, counted, localTimes, runKinds, span } from './words.js';

const going = 2000; // ms between questions while something goes on
const resting = 5000;
const part = 50; // runs read at a time
const most = 500; // that the server tells at once

export function activity(page) {
  page.head('Activity');
  const kind = page.query.get('kind') ?? '';
  const state = { page, kind: runKinds[kind] ? kind : '', all: [], next: '' };
  state.now = el('ul', { className: 'going', id: 'going' });
  state.past = el('ul', { className: 'runs card', id: 'runs' });
  for (const name of ['none', 'rest']) state[name] = el('div');
  let timer = 0;
  page.signal.addEventListener('abort', () => clearTimeout(timer));
  const soon = () => {
    clearTimeout(timer);
    if (page.signal.aborted) return;
    timer = setTimeout(() => (document.hidden ? soon() : read(state).catch(() => {}).finally(soon)), state.now.childElementCount ? going : resting);
  };
  return page.keep(() => read(state).finally(soon));
}

// read reads as many runs as are shown.
async function read(state) {
  const { page, kind } = state;
  const limit = Math.min(most, Math.max(part, state.all.length));
  const [{ runs: now }, { runs, next = '' }] = await Promise.all([
    api.runs({ kind, in_progress: true }, page.signal), api.runs({ kind, limit }, page.signal),
  ]);
  Object.assign(state, { all: runs, next });
  keyed(state.now, now, ({ id }) => id, underWay);
  draw(state);
}

function draw(state) {
  const { page, kind, all, next } = state;
  const past = all.filter((run) => run.ended_at);
  keyed(state.past, past, ({ id }) => id, row);
  state.past.hidden = !past.length;
  renew(state.none, [past.length > 0, kind], () => (past.length ? '' : nothing(kind, page.may)));
  renew(state.rest, next, () => more(next, () => attempt(() => further(state))));
  if (!page.shown) page.show(tabs(kind), state.now, state.past, state.none, state.rest);
}

async function further(state) {
  const { runs, next = '' } = await api.runs({ kind: state.kind, limit: part, cursor: state.next }, state.page.signal);
  state.all.push(...runs);
  state.next = next;
  draw(state);
  state.past.querySelector(`[data-key="${runs[0]?.id}"]`)?.focus();
}

const tabs = (kind) => chips('Show only', [
  { word: 'Everything', href: '#/activity', on: !kind },
  ...Object.entries(runKinds).map(([name, { many, mark }]) => ({ word: many, mark, href: `#/activity?kind=${name}`, on: name === kind, data: { only: name } })),
]);

const nothing = (kind, may) => (kind
  ? empty(runKinds[kind].mark, `No ${runKinds[kind].many.toLowerCase()} yet`, runKinds[kind].none, el('a', { href: '#/activity' }, 'Show everything'))
  : empty('again', 'Nothing was done yet', 'Once users are tracked, each reading of their gists and each round of deals is listed here, with what it found and cost.',
    may && el('a', { href: '#/add', className: 'button primary' }, 'Add users')));

const title = ({ kind, login }) => [
  runKinds[kind].word, kind === 'scan' && [' of ', login ? el('a', { href: `#/users/${encodeURIComponent(login)}` }, login) : 'somebody who is not tracked any more'],
];

// underWay shows a run that goes on, as it was when it was last written down.
function underWay(run) {
  const { kind, done, total } = run;
  const unit = runKinds[kind].unit;
  const text = total ? `${count(done)} of ${counted(total, unit)}` : `${counted(done, unit)} so far`;
  const bar = el('progress', { max: total || 1, ...(total && { value: done }), ariaLabel: `${runKinds[kind].word}${run.login ? ` of ${run.login}` : ''}: ${text}` }, text);
  return el('li', { className: 'card', data: { run: kind, state: 'sending' } },
    el('div', { className: 'between' },
      el('h2', {}, icon(runKinds[kind].mark), el('span', {}, title(run))), el('p', { className: 'badge' }, icon('sending'), 'Goes on')),
    bar,
    el('p', { className: 'strong' }, text, pace(run)),
    el('p', { className: 'quiet' }, sum(run), ' · begun ', when(run.started_at)));
}

// pace says how fast a run is and when it ends, by the server's clock.
function pace({ started_at: begun, updated_at: noted, done, total }) {
  const seconds = (new Date(noted) - new Date(begun)) / 1000;
  if (!(seconds > 0 && done > 0)) return '';
  const rate = done / seconds;
  const fast = rate >= 1 ? `${count(Math.round(rate))} a second` : `${count(Math.max(1, Math.round(rate * 60)))} a minute`;
  return ` · ${fast}${total > done ? ` · about ${span((total - done) / rate)} left` : ''}`;
}

// row shows a run that has ended.
function row(run) {
  const { kind, started_at: begun, ended_at: ended, problem, failed, done, total } = run;
  const bad = problem || failed > 0;
  return el('li', { tabIndex: -1, data: { run: kind, state: bad ? 'failed' : 'made' } },
    icon(runKinds[kind].mark),
    el('div', {},
      el('p', { className: 'facts' }, el('span', { className: 'strong' }, title(run)), when(ended), el('span', {}, 'took ', span((new Date(ended) - new Date(begun)) / 1000))),
      el('p', { className: 'quiet' }, total > done ? `${count(done)} of ${counted(total, runKinds[kind].unit)}` : counted(done, runKinds[kind].unit), ' · ', sum(run)),
      problem && el('p', { className: 'reason', dir: 'auto' }, capital(localTimes(problem)))),
    el('p', { className: 'badge' }, icon(bad ? 'failed' : 'made'), problem ? 'Ended badly' : failed ? `${count(failed)} failed` : 'Done'));
}

// sum is what a run found and cost.
const sum = ({ kind, gists, deals, requests, tokens }) => [
  kind === 'push' ? `${count(deals)} made` : counted(gists, 'gist found', 'gists found'),
  counted(requests, 'request'), tokens > 0 && counted(tokens, 'token'),
].filter(Boolean).join(' · ');
