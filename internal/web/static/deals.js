// Deals of all users: search, filter and sort. The rows that are shown stay while they
// are read again, and change in place.

import * as api from './api.js';
import { el, keyed, outside, renew } from './dom.js';
import { row } from './gist.js';
import * as live from './live.js';
import { attempt, dealChips, empty, more, note, when } from './parts.js';
import { counted, dealStates, localTimes, midnight } from './words.js';

const part = 50; // deals per request
const most = 500;
const settle = 2000; // ms
const settleSearch = 250; // ms after the last key
const readEvery = 15_000;

const sorts = { '-updated': 'Changed, latest first', '-created': 'Noticed, latest first', created: 'Noticed, earliest first', gist: 'By gist ID' };
const spans = { '': 'Any time', today: 'Changed today', week: 'Last 7 days', month: 'Last 30 days' };
const back = { today: 0, week: 6, month: 29 }; // days

const href = (given, change = {}) => {
  const query = new URLSearchParams(Object.entries({ ...given, ...change }).filter(([name, value]) => value && !(name === 'sort' && value === '-updated')));
  return `#/deals${query.size ? `?${query}` : ''}`;
};

export function deals(page) {
  const given = Object.fromEntries(['state', 'user', 'problem', 'rule', 'search', 'since', 'sort'].map((name) => [name, page.query.get(name) ?? '']));
  if (!sorts[given.sort]) given.sort = '-updated';
  if (!spans[given.since]) given.since = '';
  const file = el('a', { className: 'button', id: 'download', attrs: { download: '' } }, 'Download CSV');
  page.head('Deals', file);
  const state = { page, given, file, all: [], next: '', first: page.restored.rows, list: el('ul', { className: 'gists card', id: 'deals' }) };
  for (const name of ['chips', 'none', 'rest', 'twins', 'about']) state[name] = el('div');
  page.rows = () => state.all.length;
  state.read = () => read(state);
  const soon = live.renewing(() => page.poll(), { settle, every: readEvery }, page.signal);
  live.follow({ deals: soon }, page.signal);
  return page.keep(state.read);
}

// query is the filter as the API knows it.
const query = ({ since, ...given }) => ({ ...given, ...(since && { updated_since: midnight(back[since]) }) });

async function read(state) {
  const { page, given } = state;
  const limit = Math.min(most, Math.max(part, state.all.length, state.first));
  state.rules ??= (await api.rules(page.signal).catch(() => ({ rules: [] }))).rules.map(({ name }) => name);
  const [{ deals: counts, duplicates }, { deals: all, next = '' }] = await Promise.all([api.overview(page.signal), api.deals({ ...query(given), limit }, page.signal).catch(unknownUser(given))]);
  const twins = duplicates > 0 && !given.state && !given.user && !given.rule && !given.search ? (await api.duplicates({ limit: part }, page.signal)).duplicates : [];
  const ids = new Set(all.map(({ gist_id: id }) => id));
  const rest = state.all.length > most ? state.all.slice(all.length).filter(({ gist_id: id }) => !ids.has(id)) : [];
  const asked = JSON.stringify(given);
  if (state.asked !== asked) state.all = []; // Another list.
  state.asked = asked;
  state.file.href = api.dealsFile(query(given));
  Object.assign(state, { all: [...all, ...rest], next: rest.length ? state.next : next, first: 0 });
  renew(state.chips, [counts, given], () => dealChips(counts, given.state, (only) => href(given, { state: only })));
  renew(state.twins, twins, () => (twins.length ? duplicateDeals(twins, duplicates) : ''));
  draw(state);
}

// unknownUser turns the error about a user that is not known into an empty list.
const unknownUser = ({ user }) => (problem) => {
  if (!user || ![400, 404].includes(problem.status)) throw problem;
  return { deals: [] };
};

function draw(state) {
  const { page, given, all, next } = state;
  keyed(state.list, all, ({ gist_id: id }) => id, (deal) => row(asGist(deal), { page, login: deal.login, changed: () => attempt(state.read) }));
  state.list.hidden = !all.length;
  renew(state.about, given, () => [
    given.state && el('p', { className: 'quiet' }, dealStates[given.state]?.means ?? ''),
    given.user && el('p', { className: 'line' }, `Only deals of ${given.user}. `, el('a', { href: href(given, { user: '' }) }, 'Show all')),
    given.rule && el('p', { className: 'line' }, 'Only deals that the rule ', el('span', { className: 'strong', dir: 'auto' }, given.rule), ' decided about. ', el('a', { href: href(given, { rule: '' }) }, 'Show all')),
    given.problem && el('p', { className: 'line' }, el('span', { className: 'reason', dir: 'auto' }, `Only with the problem “${localTimes(given.problem)}”. `), el('a', { href: href(given, { problem: '' }) }, 'Show all')),
  ]);
  renew(state.none, all.length > 0, () => (all.length ? '' : empty('created', 'No deals', Object.values(given).some(Boolean) ? 'No deals match this filter.' : 'Deals appear here once you track a user.', Object.values(given).some(Boolean) && el('a', { href: '#/deals' }, 'Show all deals'))));
  renew(state.rest, next, () => more(next, () => attempt(() => further(state))));
  if (!page.shown) page.show(state.chips, tools(state), state.about, state.twins, state.list, state.none, state.rest);
}

function tools(state) {
  const { given } = state;
  const field = el('input', { id: 'deal-search', type: 'search', value: given.search, maxLength: 200, autocomplete: 'off', spellcheck: false, placeholder: 'Title, login, number or gist ID' });
  const list = (id, name, words) => [el('label', { className: 'spoken', htmlFor: id }, name), el('select', { id }, Object.entries(words).map(([value, word]) => el('option', { value, selected: value === given[id.replace('deal-', '')] }, word)))];
  const [sortLabel, sort] = list('deal-sort', 'Order', sorts);
  const [sinceLabel, since] = list('deal-since', 'Time', spans);
  const names = [...new Set([given.rule, ...state.rules, state.rules.length && 'everything else'])].filter(Boolean);
  const [ruleLabel, rule] = names.length ? list('deal-rule', 'Rule', Object.fromEntries([['', 'Any rule'], ...names.map((name) => [name, name])])) : [];
  let timer = 0;
  const changed = () => {
    Object.assign(given, { search: field.value.trim(), sort: sort.value, since: since.value, rule: rule?.value ?? '' });
    history.replaceState(null, '', href(given));
    attempt(state.read);
  };
  field.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, settleSearch);
  };
  sort.onchange = changed;
  since.onchange = changed;
  if (rule) rule.onchange = changed;
  return el('div', { className: 'tools', role: 'search' }, el('label', { className: 'spoken', htmlFor: 'deal-search' }, 'Search deals'), field, sinceLabel, since, sortLabel, sort, rule ? [ruleLabel, rule] : '');
}

async function further(state) {
  const { deals: some, next = '' } = await api.deals({ ...query(state.given), limit: part, cursor: state.next }, state.page.signal);
  state.all.push(...some);
  state.next = next;
  draw(state);
  state.list.querySelector(`[data-key="${CSS.escape(some[0]?.gist_id ?? '')}"] a`)?.focus();
}

// duplicateDeals lists the deals beyond the one of their gist.
const duplicateDeals = (some, all) => note('warn', 'failed',
  el('p', { className: 'strong' }, `${counted(all, 'duplicate deal')} in Pipedrive`),
  el('p', {}, 'gistdeal never deletes deals. Keep one of each gist, and delete the others in Pipedrive.'),
  el('ul', { id: 'duplicates' }, some.map(({ deal_id: id, deal_url: url, login, noticed_at: at }) =>
    el('li', { className: 'line' }, outside(url, `#${id}`), login && el('a', { href: `#/users/${encodeURIComponent(login)}` }, login), when(at)))));

// asGist converts a listed deal to a gist with its deal.
export const asGist = (deal) => ({
  ...deal, created_at: '', changed_at: deal.updated_at, id: deal.gist_id, url: deal.login ? `https://gist.github.com/${encodeURIComponent(deal.login)}/${encodeURIComponent(deal.gist_id)}` : '',
});
