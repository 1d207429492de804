// One user: gists that are new since the last visit, and all others.

import * as api from './api.js';
import { about, offer } from './userhead.js';
import { button, el, keyed, renew } from './dom.js';
import { row } from './gist.js';
import * as live from './live.js';
import { attempt, chips, dealChips, empty, more } from './parts.js';
import { count, counted, outcomes } from './words.js';

const part = 100; // gists read at a time
const scanningEvery = 1500; // ms between questions while a first scan goes on
const settle = 1000;
let opened = {}; // {login, since}: what is new is decided when a user is opened

// user shows a user. Gists that are new when the view opens stay new until it is
// opened again; the visit is recorded once all of them were on the screen.
export function user(page) {
  page.head(page.login);
  if (!page.again) opened = {};
  const state = {
    page, gists: new Map(), next: '', user: null, arrived: 0, parts: {},
    only: page.query.get('state') ?? '', onlyNew: page.query.get('show') === 'new',
  };
  for (const name of ['about', 'narrow-by', 'arrivals', 'lists']) state.parts[name] = el('div', { className: name });
  state.parts.arrivals.role = 'status';
  state.read = () => read(state);
  state.follow = () => follow(state);
  let timer = 0;
  state.soon = (wait) => (timer ||= setTimeout(() => {
    timer = 0;
    state.follow().catch(() => {}); // The stream tells when the server is away.
  }, wait));
  page.signal.addEventListener('abort', () => clearTimeout(timer));
  live.follow({ deals: (events) => apply(state, events) }, page.signal);
  return page.keep(state.read);
}

// ask reads the user first: only that answer gives the reason why a login is not
// tracked yet.
async function ask({ page, only }, cursor = '') {
  const user = await api.user(page.login, page.signal);
  return [user, await api.gists(page.login, { state: only, limit: part, cursor }, page.signal)];
}

// read reads the user and its first gists.
async function read(state) {
  try {
    const [user, first] = await ask(state);
    opened.since ??= first.seen;
    state.gists = new Map();
    state.arrived = 0;
    take(state, user, first);
  } catch (problem) {
    if (problem.status !== 404 && problem.status !== 400) throw problem;
    offer(state, problem);
  }
}

function take(state, user, { gists, next = '' }) {
  state.user = user;
  for (const gist of gists) state.gists.set(gist.id, gist);
  state.next = next;
  draw(state);
  visited(state);
  if (!user.last_scan_at) state.soon(scanningEvery);
}

// follow applies changes without moving the shown rows.
async function follow(state) {
  const scanning = !state.user?.last_scan_at;
  const [user, first] = await ask(state);
  if (scanning) {
    state.gists = new Map();
    take(state, user, first);
    return;
  }
  state.user = user;
  for (const gist of first.gists) if (state.gists.has(gist.id)) state.gists.set(gist.id, gist);
  state.arrived = first.gists.filter((gist) => !state.gists.has(gist.id)).length;
  draw(state);
}

// apply applies events to the shown deals.
function apply(state, events) {
  const ours = events.filter(({ login }) => login.toLowerCase() === state.user?.login.toLowerCase());
  for (const { gist_id: id, outcome, deal_id: deal, deal_url: url, reason } of ours) {
    const gist = state.gists.get(id);
    if (!gist || !outcomes[outcome]) continue;
    state.gists.set(id, { ...gist, state: outcomes[outcome].state, problem: reason, ...(deal && { deal_id: deal, deal_url: url }) });
  }
  if (!ours.length) return;
  draw(state);
  state.soon(settle);
}

// visited records the visit once all new gists were on the screen.
async function visited(state, all = false) {
  const shown = [...state.gists.values()].map(({ seq }) => seq);
  const whole = !state.only && (!state.next || Math.min(...shown) <= opened.since);
  const last = Math.max(0, ...shown);
  if (document.hidden || !(whole || all) || last <= Math.max(opened.since, state.visit ?? 0)) return;
  state.visit = last;
  await api.visit(state.user.login, last).catch(() => { state.visit = 0; });
}

const isNew = (gist) => gist.seq > opened.since;

function draw(state) {
  const { page, user, only, onlyNew, parts } = state;
  document.title = `${user.login} · gistdeal`;
  page.root.querySelector('h1').textContent = user.login;
  const all = [...state.gists.values()];
  const fresh = all.filter(isNew);
  renew(parts.about, user, () => about(state));
  renew(parts['narrow-by'], [user.deals, fresh.length], () => narrowing(state, fresh.length));
  renew(parts.arrivals, state.arrived, () => state.arrived > 0 &&
    button(`Show ${counted(state.arrived, 'new gist')}`, () => attempt(state.read), { kind: 'small', mark: 'new' }));
  // The lists are redrawn only if their shape changes; rows are redrawn one by one.
  const shape = [!all.length && !user.last_scan_at, !all.length, !fresh.length, all.length === fresh.length, state.next];
  renew(parts.lists, shape, () => lists(state));
  fill(state, 'new', fresh);
  fill(state, 'old', all.slice(fresh.length));
  if (!page.shown) page.show(...Object.values(parts));
  else if (!parts.lists.isConnected) page.show(...Object.values(parts)); // After an offer to track.
  if (only || onlyNew) parts.lists.dataset.narrowed = 'true';
}

function narrowing({ user, only, onlyNew }, fresh) {
  const here = (show, state) => `#/users/${encodeURIComponent(user.login)}?${new URLSearchParams({ ...(show && { show: 'new' }), ...(state && { state }) })}`;
  return [
    chips('Show', [
      { word: 'All gists', href: here(false, only), on: !onlyNew, data: { state: 'all' } },
      { word: 'New since last visit', number: fresh, mark: 'new', href: here(true, only), on: onlyNew, data: { state: 'new' } },
    ]),
    dealChips(user.deals, only, (state) => here(onlyNew, state)),
  ];
}

// lists creates the lists of new and old gists, or explains their absence.
function lists(state) {
  const { user, only, onlyNew, next } = state;
  if (!state.gists.size && !user.last_scan_at) {
    return empty('sending', 'First scan in progress', 'Gists appear here as they are read.');
  }
  if (!state.gists.size) {
    return only
      ? empty('skipped', 'No gist in this state', 'Select another state above.')
      : empty('queued', `${user.login} has no public gists yet`, 'gistdeal keeps scanning and creates a deal for each new one.');
  }
  const list = (id, title, none) => el('section', {},
    el('h2', {}, title, el('span', { className: 'count', id: `${id}-count` })),
    el('ul', { className: 'gists card', id: `${id}-gists` }), el('p', { className: 'quiet', id: `${id}-none` }, none));
  const allNew = ![...state.gists.values()].some((gist) => !isNew(gist));
  return [
    list('new', 'New', only ? 'None of these.' : 'Nothing new since your last visit.'),
    next && allNew && !only && button('Mark all as seen', () => visited(state, true), { kind: 'plain' }),
    !onlyNew && list('old', 'Seen before', only ? 'None of these.' : 'Nothing seen yet'),
    more(next && (!onlyNew || allNew), () => attempt(() => further(state))),
  ];
}

// fill draws the rows of a list that have changed.
function fill(state, id, gists) {
  const find = (name) => state.parts.lists.querySelector(`#${id}-${name}`);
  if (!find('gists')) return;
  find('count').textContent = count(gists.length) + (state.next && (id === 'old' || state.gists.size === gists.length) ? '+' : '');
  find('gists').hidden = !gists.length;
  find('none').hidden = gists.length > 0;
  keyed(find('gists'), gists, ({ id: key }) => key, (gist) =>
    row(gist, { may: state.page.may, isNew: isNew(gist), changed: () => attempt(state.follow) }));
}

async function further(state) {
  const before = new Set(state.gists.keys());
  const some = await api.gists(state.page.login, { state: state.only, limit: part, cursor: state.next }, state.page.signal);
  take(state, state.user, some);
  const first = some.gists.find(({ id }) => !before.has(id));
  if (first) state.parts.lists.querySelector(`[data-gist="${CSS.escape(first.id)}"] a`)?.focus();
}
