// Failed deals by cause, with retry. A group that is open stays open, and the deals that
// were retried from it stay in it with their new state.

import * as api from './api.js';
import { ask } from './cost.js';
import { button, el, icon, keyed, renew } from './dom.js';
import { row } from './gist.js';
import * as live from './live.js';
import { asGist } from './deals.js';
import { follow } from './operations.js';
import { attempt, empty, loading, trouble, when } from './parts.js';
import { remedy } from './remedies.js';
import { count, counted, localTimes, outcomes } from './words.js';

const settle = 2000; // ms
const readEvery = 10_000;
const part = 20; // deals of a group

export function failures(page) {
  const state = { page, groups: new Map(), total: 0, list: el('div', { className: 'causes' }), none: el('div') };
  state.read = () => read(state);
  const all = page.may && button('Retry all', () => retry({ states: ['failed'] }, state.total, state.read), { mark: 'again', kind: 'primary', id: 'retry-all', hidden: true });
  page.head('Failures', all);
  state.all = all;
  const soon = live.renewing(() => page.poll(), { settle, every: readEvery }, page.signal);
  live.follow({ deals: (events) => { apply(state, events); soon(); } }, page.signal);
  return page.keep(state.read);
}

async function read(state) {
  const { page, groups, list } = state;
  const { failures: causes } = await api.failures(page.signal);
  state.total = causes.reduce((sum, { deals }) => sum + deals, 0);
  if (state.all) state.all.hidden = causes.length < 2;
  for (const one of causes) {
    if (!groups.has(one.problem)) groups.set(one.problem, group(one.problem, state));
    groups.get(one.problem).update(one);
  }
  const left = new Set(causes.map(({ problem }) => problem));
  for (const [problem, one] of groups) {
    if (left.has(problem)) continue;
    if (one.retried()) one.update({ problem, deals: 0 });
    else groups.delete(problem);
  }
  const shown = [...groups.values()].map(({ section }) => section);
  if (shown.length !== list.children.length || shown.some((section, i) => list.children[i] !== section)) list.replaceChildren(...shown);
  renew(state.none, !shown.length, () => (shown.length ? '' : empty('created', 'No failed deals', 'Deals that Pipedrive rejects appear here, grouped by cause. gistdeal waits out rate limits and outages automatically.')));
  if (!page.shown) page.show(list, state.none);
}

// apply shows the outcome of a retry where the deal is.
function apply({ groups }, events) {
  for (const { gist_id: id, outcome, deal_id: deal, deal_url: url, reason } of events) {
    for (const one of groups.values()) {
      if (one.rows.has(id) && outcomes[outcome]) one.change(id, { state: outcomes[outcome].state, problem: reason ?? '', ...(deal && { deal_id: deal, deal_url: url }) });
    }
  }
}

// group is the part of one cause.
function group(problem, state) {
  const { page } = state;
  const rows = new Map();
  const list = el('ul', { className: 'gists' });
  const rest = el('p', { className: 'quiet rest', hidden: true });
  const details = el('details', {}, el('summary', {}, 'Show deals'), list, rest);
  const facts = el('p', { className: 'quiet' });
  const action = el('div', {});
  const advice = remedy(problem);
  const section = el('section', { className: 'card cause', data: { tone: 'bad' } },
    el('div', { className: 'between' }, el('h2', { dir: 'auto' }, icon('failed'), localTimes(problem) || 'Unknown reason'), action),
    facts,
    advice && el('p', {}, el('a', { className: 'remedy', href: advice.href }, advice.text)),
    details);
  const draw = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.closest('li') : null;
    keyed(list, [...rows.values()], ({ gist_id: id }) => id, (deal) => row(asGist(deal), { page, login: deal.login, changed: () => again(deal) }));
    // The next deal of the list is the one to retry next.
    if (focused && !list.contains(document.activeElement)) {
      const here = list.querySelector(`[data-gist="${CSS.escape(focused.dataset.gist)}"]`);
      const next = [...list.querySelectorAll('[data-act="retry"]')].find((one) => here && here.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
      (next ?? here?.querySelector('button, a'))?.focus();
    }
  };
  // again reads the state of a deal that was retried or skipped.
  const again = async (deal) => {
    const now = await attempt(() => api.explain(deal.gist_id));
    if (now) change(deal.gist_id, { state: now.state, problem: now.problem, deal_id: now.deal_id, deal_url: now.deal_url });
    await attempt(state.read);
  };
  const change = (id, changed) => {
    rows.set(id, { ...rows.get(id), ...changed });
    draw();
  };
  const load = async () => {
    const { deals } = await api.deals({ state: 'failed', problem, limit: part }, page.signal);
    for (const deal of deals) rows.set(deal.gist_id, deal);
    draw();
  };
  details.ontoggle = async () => {
    if (!details.open || rows.size) return;
    list.replaceChildren(el('li', {}, loading(2)));
    try {
      await load();
    } catch (failed) {
      list.replaceChildren(el('li', {}, trouble(failed)));
    }
  };
  const retried = () => details.open && rows.size > 0;
  const update = ({ deals, last_failed_at: last }) => {
    renew(facts, [deals, last], () => (deals ? [counted(deals, 'deal'), last && [' · last failed ', when(last)]] : 'No deal is left with this problem.'));
    renew(action, deals, () => page.may && deals > 0 && button(deals === 1 ? 'Retry' : `Retry all ${count(deals)}`, () => retry({ states: ['failed'], problem }, deals, state.read), { mark: 'again', data: { act: 'retry-cause' } }));
    const more = deals - [...rows.values()].filter((deal) => deal.state === 'failed').length;
    rest.hidden = !rows.size || more <= 0;
    renew(rest, more, () => [`and ${count(more)} more: `, el('a', { href: `#/deals?${new URLSearchParams({ state: 'failed', problem })}` }, 'show all of them')]);
    if (details.open && rows.size && more > 0 && rows.size < part) load().catch(() => {});
  };
  return { section, rows, update, change, retried };
}

// retry retries deals; many become an operation, which is shown.
async function retry(selection, deals, read) {
  if (!(await ask('Retry', deals))) return;
  const answer = await attempt(() => api.retry(selection), ({ id, deals: n }) => (id ? '' : `Retry queued for ${counted(n, 'deal')}`));
  if (answer?.id) follow(answer);
  else await attempt(read);
}
