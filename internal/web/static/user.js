// One user: new gists since the last visit, then all others.

import * as api from './api.js';
import { about, offer } from './userhead.js';
import { button, el, parted, renew } from './dom.js';
import { row } from './gist.js';
import * as live from './live.js';
import { attempt, chips, dealChips, empty, more } from './parts.js';
import { undoable } from './undo.js';
import { count, counted, nameOf, outcomes } from './words.js';

const part = 100; // gists in the first request
const most = 500; // gists in each further one
const scanningEvery = 1500; // ms between requests during the first scan
const settle = 1000;
let opened = {}; // since: the last seen gist when the user was opened

// user shows a user. Gists that are new when the user is opened stay marked until
// it is opened again. The visit is recorded once all new gists were shown.
export function user(page) {
  page.head(page.login);
  if (!page.again) opened = {};
  const state = {
    page, gists: new Map(), next: '', user: null, arrived: 0, parts: {},
    only: page.query.get('state') ?? '', onlyNew: page.query.get('show') === 'new',
  };
  for (const name of ['about', 'filters', 'arrivals', 'lists', 'rest']) state.parts[name] = el('div', { className: name });
  state.parts.arrivals.role = 'status';
  state.read = () => read(state);
  state.follow = () => follow(state);
  let timer = 0;
  state.soon = (wait) => (timer ||= setTimeout(() => {
    timer = 0;
    state.follow().catch(() => {}); // The stream detects a lost connection.
  }, wait));
  page.signal.addEventListener('abort', () => clearTimeout(timer));
  live.follow({ deals: (events) => apply(state, events), events: (events) => noticed(state, events) }, page.signal);
  return page.keep(state.read);
}

// request reads the user before its gists: if both fail, only the error of the
// user tells whether it is tracked soon.
async function request({ page, only }) {
  const current = await api.user(page.login, page.signal);
  return [current, await api.gists(page.login, { state: only, limit: part }, page.signal)];
}

// read reads the user and its first gists.
async function read(state) {
  try {
    const [current, first] = await request(state);
    opened.since ??= first.seen;
    state.gists = new Map();
    state.arrived = 0;
    take(state, current, first);
  } catch (problem) {
    if (problem.status !== 404 && problem.status !== 400) throw problem;
    offer(state, problem);
  }
}

function take(state, current, { gists, next = '' }) {
  state.user = current;
  for (const gist of gists) state.gists.set(gist.id, gist);
  state.next = next;
  draw(state);
  visited(state);
  if (!current.last_scan_at) state.soon(scanningEvery);
}

// follow updates the gists that are shown, without moving them.
async function follow(state) {
  const scanning = !state.user?.last_scan_at;
  const [current, first] = await request(state);
  if (scanning) {
    state.gists = new Map();
    take(state, current, first);
    return;
  }
  state.user = current;
  for (const gist of first.gists) if (state.gists.has(gist.id)) state.gists.set(gist.id, gist);
  state.arrived = first.gists.filter((gist) => !state.gists.has(gist.id)).length;
  draw(state);
}

// noticed reads the gists again when a new one of this user was noticed.
function noticed(state, events) {
  if (events.some(({ type, user_id: user }) => type === 'gist.noticed' && user === state.user?.id)) state.soon(settle);
}

// apply updates the shown deals from events.
function apply(state, events) {
  const own = events.filter(({ login = '' }) => login.toLowerCase() === state.user?.login.toLowerCase());
  for (const { gist_id: id, outcome, deal_id: deal, deal_url: url, reason } of own) {
    const gist = state.gists.get(id);
    if (!gist || !outcomes[outcome]) continue;
    state.gists.set(id, { ...gist, state: outcomes[outcome].state, problem: reason, ...(deal && { deal_id: deal, deal_url: url }) });
  }
  if (!own.length) return;
  draw(state);
  state.soon(settle);
}

// visited records the visit once all new gists were shown.
async function visited(state, all = false) {
  const shown = [...state.gists.values()].map(({ seq }) => seq);
  const complete = !state.only && (!state.next || Math.min(...shown) <= opened.since);
  const last = Math.max(0, ...shown);
  if (document.hidden || !(complete || all) || last <= Math.max(opened.since, state.visit ?? 0)) return;
  state.visit = last;
  const visit = await api.visit(nameOf(state.user), last).catch(() => { state.visit = 0; });
  if (all && visit) {
    const undo = async () => {
      await api.takeBack(nameOf(state.user), visit);
      state.visit = 0;
    };
    undoable(state.page, `All gists of ${state.user.login} marked as seen`, undo, { done: 'Marked as not seen', changed: state.follow });
  }
}

const isNew = (gist) => gist.seq > opened.since;

function draw(state) {
  const { page, user: current, only, onlyNew, parts } = state;
  document.title = `${current.login} · gistdeal`;
  page.root.querySelector('h1').textContent = current.login;
  const all = [...state.gists.values()];
  const fresh = all.filter(isNew);
  renew(parts.about, current, () => about(state));
  renew(parts.filters, [current.deals, fresh.length], () => filters(state, fresh.length));
  renew(parts.arrivals, state.arrived, () => state.arrived > 0 &&
    button(`Show ${counted(state.arrived, 'new gist')}`, () => attempt(state.read), { kind: 'small', mark: 'new' }));
  // The lists are redrawn only if their set changes; rows are updated in place.
  const allNew = all.length === fresh.length;
  const shape = [!all.length && !current.last_scan_at, !all.length, !fresh.length, allNew, allNew && Boolean(state.next)];
  renew(parts.lists, shape, () => lists(state, allNew));
  const further = Boolean(state.next) && (!onlyNew || allNew);
  renew(parts.rest, further, () => more(further, () => attempt(() => readMore(state))));
  fill(state, 'new', fresh);
  fill(state, 'old', all.slice(fresh.length));
  if (!page.shown) page.show(...Object.values(parts));
  else if (!parts.lists.isConnected) page.show(...Object.values(parts)); // After an offer to track.
  if (only || onlyNew) parts.lists.dataset.filtered = 'true';
}

function filters({ user: current, only, onlyNew }, fresh) {
  const here = (show, state) => `#/users/${encodeURIComponent(nameOf(current))}?${new URLSearchParams({ ...(show && { show: 'new' }), ...(state && { state }) })}`;
  return [
    chips('Show', [
      { word: 'All gists', href: here(false, only), on: !onlyNew, data: { state: 'all' } },
      { word: 'New since last visit', number: fresh, mark: 'new', href: here(true, only), on: onlyNew, data: { state: 'new' } },
    ]),
    dealChips(current.deals, only, (state) => here(onlyNew, state)),
  ];
}

// lists creates the lists of new and old gists, or explains that there are none.
function lists(state, allNew) {
  const { user: current, only, onlyNew, next } = state;
  if (!state.gists.size && !current.last_scan_at) {
    return empty('sending', 'First scan in progress', 'Gists appear here as they are found.');
  }
  if (!state.gists.size) {
    return only
      ? empty('skipped', 'No gists in this state', 'Choose another state above.')
      : empty('queued', `${current.login} has no public gists yet`, 'gistdeal checks regularly and creates a deal for each new gist.');
  }
  const list = (id, title, none) => el('section', {},
    el('h2', {}, title, el('span', { className: 'count', id: `${id}-count` })),
    el('div', { className: 'gists card', id: `${id}-gists` }), el('p', { className: 'quiet', id: `${id}-none` }, none));
  return [
    list('new', 'New', only ? 'No gists in this state.' : 'No new gists since your last visit.'),
    next && allNew && !only && button('Mark all as seen', () => visited(state, true), { kind: 'plain' }),
    !onlyNew && list('old', 'Seen before', only ? 'No gists in this state.' : 'Nothing seen yet'),
  ];
}

// amount is the number of gists in a list. The server knows how many are not shown yet,
// because each gist has one deal, but not how many of them are new.
function amount({ user: { deals }, gists, only, next, arrived }, id, shown) {
  if (!next || (id === 'new' && shown < gists.size)) return count(shown);
  if (id === 'new' || !shown) return `${count(shown)}+`;
  const all = only ? deals[only] ?? 0 : Object.values(deals).reduce((sum, n) => sum + n, 0);
  return count(Math.max(shown, all - arrived - (gists.size - shown)));
}

// fill redraws the changed rows of a list.
function fill(state, id, gists) {
  const find = (name) => state.parts.lists.querySelector(`#${id}-${name}`);
  if (!find('gists')) return;
  find('count').textContent = amount(state, id, gists.length);
  find('gists').hidden = !gists.length;
  find('none').hidden = gists.length > 0;
  parted(find('gists'), gists, ({ id: key }) => key, (gist) =>
    row(gist, { page: state.page, isNew: isNew(gist), changed: () => attempt(state.follow) }));
}

async function readMore(state) {
  const before = new Set(state.gists.keys());
  const some = await api.gists(state.page.login, { state: state.only, limit: most, cursor: state.next }, state.page.signal);
  take(state, state.user, some);
  const first = some.gists.find(({ id }) => !before.has(id));
  if (first) state.parts.lists.querySelector(`[data-gist="${CSS.escape(first.id)}"] a`)?.focus();
}
