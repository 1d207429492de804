// The overview: is it working, what is new, what needs you.

import { account } from './account.js';
import * as api from './api.js';
import { chart } from './chart.js';
import { el, icon, keyed, outside, renew } from './dom.js';
import { budget } from './limits.js';
import * as live from './live.js';
import { card, empty, note, when } from './parts.js';
import { quick } from './quick.js';
import { count, counted, dealStates, localTimes, outcomes } from './words.js';

const eventsShown = 8;
const settle = 1500; // ms between what happens and counting anew
let told = []; // the last events; they outlive the view

live.follow({ deals: (events) => (told = [...events.toReversed(), ...told].slice(0, eventsShown)) });

export function overview(page) {
  page.head('Overview');
  const parts = Object.fromEntries(['works', 'calls', 'numbers', 'daily', 'budgets'].map((name) => [name, el('div', { className: name })]));
  const events = el('ol', { className: 'events' });
  const nothing = empty('sending', 'Nothing since you opened the page', 'What happens to deals appears here at once.');
  const quickly = page.may && quick(true);
  const figures = el('div', { className: 'two' }, parts.daily, parts.budgets);
  const happening = card('What happens now', nothing, events);
  const frame = () => page.show(parts.works, parts.calls, parts.numbers, quickly, figures, happening);
  const draw = async () => {
    const [now, limits] = await Promise.all([api.overview(page.signal), api.limits(page.signal)]);
    const known = untouched(now) ? { account: await api.account(page.signal) } : null;
    redraw(parts, now, limits, known, page);
    for (const part of [parts.numbers, figures, happening]) part.hidden = known !== null; // All would be zero.
    if (!page.shown) frame();
  };
  const happened = () => {
    nothing.hidden = told.length > 0;
    keyed(events, told, (e) => `${e.gist_id} ${e.at}`, event);
  };
  happened();
  let timer = 0;
  const soon = () => (timer ||= setTimeout(() => {
    timer = 0;
    draw().catch(() => {}); // The next event, or the stream's end, tries again.
  }, settle));
  live.follow({ deals: () => { happened(); soon(); } }, page.signal);
  const each = setInterval(soon, 30_000);
  page.signal.addEventListener('abort', () => { clearTimeout(timer); clearInterval(each); });
  return page.keep(draw);
}

const untouched = ({ users, deals, pending_scan_requests: pending }) => !Object.keys(users).length && !Object.keys(deals).length && !pending;

function redraw(parts, now, limits, known, page) {
  renew(parts.works, [now.leader, now.pushes, limits.pushes, limits.github, now.next_scan, now.pending_scan_requests], () => working(now, limits));
  renew(parts.calls, [now.deals, now.users, now.duplicates, known, known && limits.budgets], () => (known ? firstRun(page, known, limits) : needs(now)));
  renew(parts.numbers, [now.deals, now.users, now.days.at(-1)], () => numbers(now));
  renew(parts.daily, now.days, () => card('Gists and deals per day', chart(now.days)));
  renew(parts.budgets, limits.budgets, () => card('What is left', budgets(limits), el('p', {}, el('a', { href: '#/limits' }, 'All limits'))));
}

// working says whether gistdeal works, and else why not.
function working({ leader, pushes, next_scan: next, pending_scan_requests: pending }, limits) {
  if (!leader) return note('bad', 'failed', el('p', { className: 'strong' }, 'No gistdeal instance is running'), el('p', {}, 'Users are not scanned and deals are not created on this database. Check the log, or start an instance.'));
  if (pushes.paused) {
    return note('warn', 'held', el('p', { className: 'strong' }, 'Making deals is paused by a person'),
      el('p', {}, 'Since ', when(pushes.since), pushes.reason && `: ${pushes.reason}`, '. ', el('a', { href: '#/limits' }, 'Resume under Limits')));
  }
  for (const [gate, name] of [[limits.pushes, 'Pipedrive'], [limits.github, 'GitHub']]) {
    if (gate?.reason) {
      return note('warn', 'held', el('p', { className: 'strong' }, `${name} makes gistdeal wait`),
        el('p', { dir: 'auto' }, localTimes(gate.reason)), el('p', {}, 'It tries again ', when(gate.until), '. Nothing is lost meanwhile.'));
    }
  }
  return note('good', 'made', el('p', { className: 'strong' }, 'Everything works'),
    el('p', {}, next ? ['The next scan is due ', when(next)] : 'No scan is planned', pending > 0 && ` · ${counted(pending, 'login')} being looked up`));
}

function needs({ deals, users, duplicates }) {
  const all = [
    deals.failed && { mark: 'failed', tone: 'bad', text: `${counted(deals.failed, 'deal')} failed`, href: '#/failures', verb: 'See why, and retry' },
    deals.held && { mark: 'held', tone: 'warn', text: `${counted(deals.held, 'deal')} held for your yes`, href: '#/deals?state=held', verb: 'Look and decide' },
    users.gone && { mark: 'failed', tone: 'warn', text: `${counted(users.gone, 'user')} gone from GitHub`, href: '#/users?state=gone', verb: 'See who' },
    duplicates && { mark: 'failed', tone: 'warn', text: `${counted(duplicates, 'duplicate deal')} in Pipedrive`, verb: 'Run “gistdeal audit” to see which' },
  ].filter(Boolean);
  return card('Needs you', all.length
    ? el('ul', { className: 'needs-list' }, all.map(({ mark, tone, text, href, verb }) =>
      el('li', { data: { tone } }, icon(mark), el('span', { className: 'strong' }, text), href ? el('a', { href }, verb) : el('span', { className: 'quiet' }, verb))))
    : el('p', { className: 'quiet calm' }, icon('made'), 'Nothing. Lean back.'));
}

function numbers({ deals, users, days }) {
  const today = days.at(-1);
  const stat = (value, word, href, mark, state = '') =>
    el('a', { className: 'stat', href, data: { state } }, el('span', { className: 'value' }, count(value)), el('span', { className: 'word' }, icon(mark), word));
  const ofDeals = (state) => stat(deals[state] ?? 0, state === 'made' ? 'Deals made' : dealStates[state].word, `#/deals?state=${state}`, state, state);
  return [
    stat((users.active ?? 0) + (users.paused ?? 0) + (users.gone ?? 0), 'Users', '#/users', 'users'),
    ...['made', 'found', 'sending', 'failed'].map(ofDeals),
    el('p', { className: 'stat today' }, el('span', { className: 'value' }, today.gists ? `+${count(today.gists)}` : '0'), el('span', { className: 'word' }, icon('new'), 'New gists today')),
  ];
}

function budgets({ budgets: all }) {
  const known = all.filter(({ name }) => ['pipedrive-day', 'github-hour'].includes(name));
  return known.length ? known.map(budget) : empty('found', 'Not known yet', 'The first answers of GitHub and Pipedrive tell.');
}

const firstRun = ({ may }, known, { budgets: all }) => [
  card('Is everything ready?', account(known.account, all)),
  card('Begin here', el('ol', { className: 'steps' },
    el('li', {}, el('span', { className: 'strong' }, 'Add the GitHub users whose gists you want. '), may ? el('a', { href: '#/add' }, 'Paste logins, links or a CSV') : 'A token that may write is needed.'),
    el('li', {}, el('span', { className: 'strong' }, 'Choose what happens to gists that they have already: '), 'a deal for each, or only for new ones.'),
    el('li', {}, el('span', { className: 'strong' }, 'Watch deals come: '), 'each public gist gets exactly one, and what needs you is shown on this page.'))),
];

function event({ at, gist_id: gist, login, outcome, deal_id: id, deal_url: url, reason }) {
  const { word, state } = outcomes[outcome] ?? { word: outcome, state: 'sending' };
  return el('li', { data: { state, event: gist } }, icon(state), el('span', { className: 'strong' }, word),
    id > 0 && outside(url || '', `no. ${id}`), login && el('a', { href: `#/users/${encodeURIComponent(login)}` }, login),
    when(at), reason && el('span', { className: 'quiet reason', dir: 'auto' }, localTimes(reason)));
}
