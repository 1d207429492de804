// All users: search, filter, sort and bulk actions.

import * as api from './api.js';
import { el, icon, parted, renew } from './dom.js';
import { running } from './operations.js';
import { attempt, chips, empty, loading, more } from './parts.js';
import { pulse } from './pulse.js';
import { quick } from './quick.js';
import { bulk } from './userbulk.js';
import { row } from './userrow.js';
import { counted, nameOf, userStates } from './words.js';

const settle = 250; // ms after the last key
const readEvery = 15_000;
const most = 500; // users in one answer

const sorts = {
  '-tracked': 'Newest first', tracked: 'Oldest first', login: 'Login, A to Z', '-login': 'Login, Z to A',
  '-last_scan': 'Last scan, latest first', next_scan: 'Next scan, soonest first',
};

export function users(page) {
  const given = { state: page.query.get('state') ?? '', search: page.query.get('search') ?? '', sort: page.query.get('sort') ?? '-tracked' };
  if (!sorts[given.sort]) given.sort = '-tracked';
  page.head('Users', page.may && el('a', { href: '#/add', className: 'button primary' }, icon('new'), 'Add users'));
  const state = { page, given, all: [], known: new Map(), chosen: new Set(), beyond: false, next: '', status: el('p', { className: 'quiet', role: 'status', id: 'users-status' }), tabs: el('div'), rest: el('div'), bulk: el('div', { className: 'bulk', hidden: true }) };
  page.rows = () => state.all.length;
  state.first = page.restored.rows;
  state.read = () => read(state);
  const timer = setInterval(() => document.hidden || page.poll(), readEvery);
  page.signal.addEventListener('abort', () => clearInterval(timer));
  if (pulse.now) renew(state.tabs, [pulse.now.users, given], () => tabs(pulse.now.users, given));
  page.show(running(page), page.may && quick(), state.tabs, tools(state), ...table(state), state.bulk, state.rest);
  if (page.query.get('focus') === 'search') {
    history.replaceState(null, '', href(given));
    document.getElementById('search').focus();
  }
  return page.keep(state.read);
}

const href = (given, change = {}) => {
  const query = new URLSearchParams(Object.entries({ ...given, ...change }).filter(([name, value]) => value && !(name === 'sort' && value === '-tracked')));
  return `#/users${query.size ? `?${query}` : ''}`;
};

// read reads as many users as are shown now.
async function read(state) {
  const { page, given } = state;
  const limit = Math.min(most, Math.max(50, state.all.length, state.first));
  const query = { ...given };
  const [{ users: counts }, { users: part, next = '' }] = await Promise.all([api.overview(page.signal), api.users({ ...query, limit }, page.signal)]);
  if (query.search !== given.search) return; // A later search replaces this one.
  // Beyond one answer the rows that are shown already stay: a list never shrinks under its reader.
  const names = new Set(part.map(({ id }) => id));
  const rest = state.all.length > most ? state.all.slice(part.length).filter(({ id }) => !names.has(id)) : [];
  Object.assign(state, { all: [...part, ...rest], next: rest.length ? state.next : next, counts, first: 0 });
  renew(state.tabs, [counts, given], () => tabs(counts, given));
  draw(state);
  await activity(state, { ...query, limit }).catch((problem) => {
    if (page.loaded || page.signal.aborted) throw problem;
  }); // The list that is shown at first stays without it.
}

// activity reads that of the users of a list again if the deals of one have changed: it takes
// much longer than the list itself, which is read every few seconds.
async function activity(state, query) {
  const { page, given, known } = state;
  const deals = (user) => JSON.stringify(user.deals);
  if (state.all.every((user) => known.get(user.id)?.deals === deals(user))) return;
  const { users: part } = await api.users({ ...query, include: 'activity' }, page.signal);
  if (query.search !== given.search) return;
  for (const user of part) known.set(user.id, { deals: deals(user), activity: user.activity });
  draw(state);
}

function tabs(counts, given) {
  const all = (counts.active ?? 0) + (counts.paused ?? 0) + (counts.gone ?? 0);
  return chips('Filter by state', [
    { word: 'All', number: all, href: href(given, { state: '' }), on: !given.state, data: { state: '' } },
    ...Object.entries(userStates).map(([state, { word, mark }]) =>
      ({ word, mark, number: counts[state] ?? 0, href: href(given, { state }), on: given.state === state, data: { state } })),
  ]);
}

function tools(state) {
  const { given } = state;
  const search = el('input', { id: 'search', type: 'search', value: given.search, maxLength: 39, autocomplete: 'off', spellcheck: false, placeholder: 'Search logins ( / )' });
  const sort = el('select', { id: 'sort' }, Object.entries(sorts).map(([value, word]) => el('option', { value, selected: value === given.sort }, word)));
  let timer = 0;
  const changed = () => {
    Object.assign(given, { search: search.value.trim(), sort: sort.value });
    state.beyond = false;
    history.replaceState(null, '', href(given));
    state.all = [];
    attempt(state.read);
  };
  search.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, settle);
  };
  search.onkeydown = ({ key }) => {
    if (key !== 'Escape') return;
    search.value = '';
    changed();
  };
  sort.onchange = changed;
  return el('div', { className: 'tools', role: 'search' },
    el('label', { className: 'spoken', htmlFor: 'search' }, 'Search logins'), search,
    el('label', { className: 'spoken', htmlFor: 'sort' }, 'Order'), sort, state.status);
}

function table(state) {
  state.every = el('input', { type: 'checkbox', ariaLabel: 'Select all users shown' });
  state.every.onchange = () => {
    state.chosen = new Set(state.every.checked ? state.all.map(nameOf) : []);
    state.beyond = false;
    for (const box of state.table.querySelectorAll('.part input')) box.checked = state.every.checked;
    bulk(state);
  };
  const heads = [['', 'Login'], ['wide', 'State'], ['', 'Deals'], ['widest', 'Newest gist'], ['wide', 'Last scan'], ['wide', 'Next scan']];
  state.nobody = el('div', {}, loading());
  // The rows are grids, because browsers lay out each table as a whole. So the roles are named.
  const head = (props, ...children) => el('th', { scope: 'col', role: 'columnheader', ...props }, children);
  state.table = el('table', { className: 'card users', id: 'users', role: 'table', hidden: true, data: { box: String(state.page.may) } },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, state.page.may && head({ className: 'box' }, state.every), heads.map(([className, word]) => head({ className }, word)))));
  return [state.table, state.nobody];
}

function draw(state) {
  const { all, given, next, page } = state;
  parted(state.table, all.map((user) => withActivity(state, user)), ({ id }) => id, (user) => row(user, page.may && choice(state, user)), () => el('tbody', { className: 'part', role: 'rowgroup' }));
  state.table.hidden = !all.length;
  renew(state.nobody, [all.length > 0, given], () => (all.length ? '' : nobody(given)));
  const text = all.length ? `${counted(all.length, 'user')}${next ? ', and more' : ''}` : '';
  if (state.status.textContent !== text) state.status.textContent = text;
  state.chosen = new Set(all.map(nameOf).filter((name) => state.chosen.has(name)));
  renew(state.rest, next, () => more(next, () => attempt(() => further(state))));
  if (page.may) bulk(state);
}

// withActivity returns the same object for an unchanged user, so that thousands of rows need no
// comparison.
function withActivity({ known }, user) {
  const at = known.get(user.id);
  if (!at) return user;
  if (at.user !== user) Object.assign(at, { user, shown: { ...user, activity: at.activity } });
  return at.shown;
}

async function further(state) {
  const query = { ...state.given, limit: most, cursor: state.next };
  const { users: part, next = '' } = await api.users(query, state.page.signal);
  state.all.push(...part);
  state.next = next;
  draw(state);
  await activity(state, query);
  if (part.length) state.table.querySelector(`[data-key="${part[0].id}"] a`)?.focus();
}

const nobody = ({ search, state }) => (search || state
  ? empty('users', 'No users', search ? `No login contains “${search}”.` : 'No users are in this state.', el('a', { href: '#/users' }, 'Show all users'))
  : empty('users', 'No users yet', 'Type a login above, or add users in bulk.', el('a', { href: '#/add', className: 'button primary' }, 'Add users')));

// choice is the box that selects a user.
function choice(state, user) {
  const name = nameOf(user);
  const box = el('input', { type: 'checkbox', checked: state.chosen.has(name), ariaLabel: `Select ${user.login}` });
  box.onchange = () => {
    if (box.checked) state.chosen.add(name);
    else state.chosen.delete(name);
    state.beyond = false;
    bulk(state);
  };
  return box;
}
