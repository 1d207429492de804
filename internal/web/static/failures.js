// Failed deals by cause, with retry.

import * as api from './api.js';
import { button, el, icon } from './dom.js';
import { row } from './gist.js';
import * as live from './live.js';
import { asGist } from './deals.js';
import { follow } from './operations.js';
import { attempt, empty, loading, trouble } from './parts.js';
import { count, counted, localTimes } from './words.js';

const settle = 2000; // ms

export function failures(page) {
  const all = page.may && button('Retry all', () => retryAll(read), { mark: 'again', kind: 'primary', id: 'retry-all', hidden: true });
  page.head('Failures', all);
  const read = async () => {
    const { failures: causes } = await api.failures(page.signal);
    if (all) all.hidden = causes.length < 2;
    const text = JSON.stringify(causes);
    if (text === page.drawn) return;
    page.drawn = text;
    page.show(causes.length
      ? el('div', { className: 'causes' }, causes.map((one) => cause(one, page, read)))
      : empty('created', 'No failed deals', 'Deals that Pipedrive rejects appear here, grouped by cause. gistdeal waits out rate limits and outages automatically.'));
  };
  let timer = 0;
  const soon = () => (timer ||= setTimeout(() => {
    timer = 0;
    read().catch(() => {});
  }, settle));
  live.follow({ deals: soon }, page.signal);
  page.signal.addEventListener('abort', () => clearTimeout(timer));
  return page.keep(read);
}

async function retryAll(read) {
  await retry({ states: ['failed'] }, read);
}

function cause({ problem, deals }, page, read) {
  const list = el('ul', { className: 'gists' });
  const details = el('details', {}, el('summary', {}, 'Show deals'), list);
  details.ontoggle = async () => {
    if (!details.open || list.childElementCount) return;
    list.replaceChildren(el('li', {}, loading(2)));
    try {
      const { deals: some } = await api.deals({ state: 'failed', problem, limit: 20 });
      list.replaceChildren(...some.map((deal) => row(asGist(deal), { may: page.may, login: deal.login, changed: read })));
      if (deals > some.length) list.append(el('li', { className: 'quiet rest' }, `and ${count(deals - some.length)} more: `, el('a', { href: '#/deals?state=failed' }, 'show all failed deals')));
    } catch (failed) {
      list.replaceChildren(el('li', {}, trouble(failed)));
    }
  };
  return el('section', { className: 'card cause', data: { tone: 'bad' } },
    el('div', { className: 'between' },
      el('h2', { dir: 'auto' }, icon('failed'), localTimes(problem) || 'Unknown reason'),
      page.may && button(deals === 1 ? 'Retry' : `Retry all ${count(deals)}`, () => retryCause(problem, read), { mark: 'again', data: { act: 'retry-cause' } })),
    el('p', { className: 'quiet' }, counted(deals, 'deal')),
    details);
}

async function retryCause(problem, read) {
  await retry({ states: ['failed'], problem }, read);
}

// retry retries deals; many become an operation, which is shown.
async function retry(selection, read) {
  const answer = await attempt(() => api.retry(selection), ({ id, deals }) => (id ? '' : `Retry queued for ${counted(deals, 'deal')}`));
  if (answer?.id) follow(answer);
  else await attempt(read);
}
