// New gists of all users by day, with those that the visitor has not seen marked. Gists
// that existed before their user was tracked are left out.

import * as api from './api.js';
import { button, el, keyed, renew } from './dom.js';
import { row } from './gist.js';
import * as live from './live.js';
import { attempt, chips, empty, more } from './parts.js';
import { undoable } from './undo.js';
import { counted, dayName, midnight } from './words.js';

const part = 50; // gists per request
const most = 500;
const settle = 2000; // ms
const readEvery = 15_000;
const typing = 'input:not([type=checkbox], [type=radio]), textarea, select';

const spans = { today: 'Today', '': 'Last 7 days', month: 'Last 30 days' };

export function fresh(page) {
  const since = page.query.get('since') ?? '';
  const state = {
    page, since: spans[since] !== undefined ? since : '', unread: page.query.get('show') !== 'all', all: [], next: '',
    days: el('div', { className: 'body' }), none: el('div'), rest: el('div'),
  };
  page.head('New', button('Mark all as read', () => markAll(state), { mark: 'created', id: 'mark-all' }));
  page.rows = () => state.all.length;
  state.first = page.restored.rows;
  state.read = () => read(state);
  const soon = live.renewing(() => page.poll(), { settle, every: readEvery }, page.signal);
  live.follow({ deals: soon }, page.signal);
  document.addEventListener('keydown', (event) => keys(state, event), { signal: page.signal });
  return page.keep(state.read);
}

const begin = { today: () => midnight(0), '': () => midnight(6), month: () => midnight(29) };

const query = ({ since, unread }) => ({ noticed_since: begin[since](), backfill: false, show: unread ? 'new' : 'all' });

// read reads as many gists as are shown now. A gist that was marked as read stays until the
// view is opened again.
async function read(state) {
  const { page } = state;
  const { gists, next = '' } = await api.lastGists({ ...query(state), limit: Math.min(most, Math.max(part, state.all.length, state.first)) }, page.signal);
  const now = new Map(gists.map((gist) => [gist.id, gist]));
  const seen = state.all.filter((gist) => !gist.new && !now.has(gist.id));
  state.first = 0;
  Object.assign(state, { all: [...gists, ...seen].sort((a, b) => b.seq - a.seq), next });
  draw(state);
}

async function further(state) {
  const { gists, next = '' } = await api.lastGists({ ...query(state), limit: part, cursor: state.next }, state.page.signal);
  state.all.push(...gists);
  state.next = next;
  draw(state);
  rows(state).find((one) => one.dataset.gist === gists[0]?.id)?.focus();
}

const link = (since, unread) => `#/new?${new URLSearchParams({ ...(since && { since }), ...(!unread && { show: 'all' }) })}`;

function draw(state) {
  const { page, all, next, since, unread } = state;
  const days = new Map();
  for (const gist of all) {
    const day = dayName(gist.noticed_at);
    days.set(day, [...(days.get(day) ?? []), gist]);
  }
  keyed(state.days, [...days.keys()], (day) => day, (day) => el('section', { className: 'lists' }, el('h2', {}, day), el('ul', { className: 'gists card' })));
  for (const [day, gists] of days) {
    const list = [...state.days.children].find((one) => one.dataset.key === day).querySelector('ul');
    keyed(list, gists, ({ id }) => id, (gist) => {
      const made = row(gist, { page, login: gist.login, isNew: gist.new, noticed: gist.noticed_at, changed: () => attempt(state.read) });
      made.tabIndex = -1;
      return made;
    });
  }
  renew(state.none, all.length > 0, () => (all.length ? '' : empty('created', unread ? 'You’ve seen all new gists' : 'No new gists', unread ? 'New gists of all users appear here.' : 'No gist was noticed in this time.', unread && el('a', { href: link(since, false) }, 'Show those that you have seen'))));
  renew(state.rest, next, () => more(next, () => attempt(() => further(state))));
  if (!page.shown) {
    page.show(
      chips('Filter', [
        { word: 'Unread', href: link(since, true), on: unread, data: { only: 'unread' } }, { word: 'All', href: link(since, false), on: !unread, data: { only: 'all' } },
        ...Object.entries(spans).map(([name, word]) => ({ word, href: link(name, unread), on: name === since, data: { only: `since-${name}` } })),
      ]),
      el('p', { className: 'quiet keys-hint' }, el('kbd', {}, 'j'), ' ', el('kbd', {}, 'k'), ' next and previous, ', el('kbd', {}, 'o'), ' open, ', el('kbd', {}, 'm'), ' mark as read'),
      state.days, state.none, state.rest);
  }
}

const rows = ({ days }) => [...days.querySelectorAll('li[data-gist]')];

// keys moves over the gists by keyboard.
function keys(state, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') || event.target.closest?.(typing)) return;
  const all = rows(state);
  const at = all.findIndex((one) => one.contains(document.activeElement));
  const gist = state.all.find(({ id }) => id === all[at]?.dataset.gist);
  if (event.key === 'j' || event.key === 'k') all[event.key === 'j' ? Math.min(at + 1, all.length - 1) : Math.max(at - 1, 0)]?.focus();
  else if (event.key === 'o' && gist) all[at].querySelector('.title a')?.click();
  else if (event.key === 'm' && gist) mark(state, [gist]);
  else return;
  event.preventDefault();
}

// mark records that gists were seen, and so all earlier ones of their users. Undo takes that
// back.
async function mark(state, gists) {
  const newest = new Map();
  for (const gist of gists.filter((one) => one.new)) if (!(newest.get(gist.user_id)?.seq > gist.seq)) newest.set(gist.user_id, gist);
  const visits = new Map();
  for (const [id, gist] of newest) {
    const visit = await attempt(() => api.visit(`id:${id}`, gist.seq));
    if (!visit) break;
    visits.set(id, visit);
  }
  if (!visits.size) return;
  const marked = setNew(state, false, visits);
  undoable(state.page, `${counted(marked, 'gist')} marked as read`, () => unmark(state, visits), { done: `${counted(marked, 'gist')} marked as unread`, changed: state.read });
}

async function unmark(state, visits) {
  for (const [id, visit] of visits) {
    const { seen } = await api.takeBack(`id:${id}`, visit);
    if (seen !== visit.before) throw new api.Problem(409, 'Not undone', 'later gists were seen meanwhile');
    visits.delete(id); // A second try begins with the next user.
    setNew(state, true, new Map([[id, visit]]));
  }
}

// setNew marks the gists of visits as new or as seen, and returns their number.
function setNew(state, fresh, visits) {
  const concerns = ({ user_id: id, seq, new: now }) => now !== fresh && seq > visits.get(id)?.before && seq <= visits.get(id).seen;
  const n = state.all.filter(concerns).length;
  state.all = state.all.map((one) => (concerns(one) ? { ...one, new: fresh } : one));
  const focused = document.activeElement.closest?.('li[data-gist]')?.dataset.gist;
  draw(state);
  if (focused) rows(state).find((one) => one.dataset.gist === focused)?.focus();
  return n;
}

async function markAll(state) {
  await mark(state, state.all);
  await attempt(state.read);
}
