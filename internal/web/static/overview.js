// The overview: status, open problems, counts and live activity.

import { account } from './account.js';
import * as api from './api.js';
import { chart } from './chart.js';
import { delays, funnel } from './flow.js';
import { el, icon, keyed, outside, renew } from './dom.js';
import { later } from './later.js';
import * as live from './live.js';
import { card, due, empty, isLow, note, when } from './parts.js';
import { pauseButton } from './pause.js';
import * as heart from './pulse.js';
import { quick } from './quick.js';
import { backoff, outages, quota, refusal } from './quotas.js';
import { count, counted, dealStates, localTimes, outcomes, percent, quotaName } from './words.js';

const eventsShown = 8;
const settle = 1500; // ms between an event and the next count
let latest = []; // the last events; kept while other views are shown
let decided = false; // the questions of a first start were answered or skipped

live.follow({ deals: (events) => (latest = [...events.toReversed(), ...latest].slice(0, eventsShown)) });

export function overview(page) {
  const pausing = page.admin && pauseButton(heart.check);
  page.head('Overview', pausing);
  const parts = Object.fromEntries(['status', 'choices', 'attention', 'numbers', 'daily', 'flow', 'quotas'].map((name) => [name, el('div', { className: name })]));
  const events = el('ol', { className: 'events' });
  const nothing = empty('sending', 'No activity yet', 'New deals appear here as they are created.');
  const quickly = page.may && quick(true);
  const figures = el('div', { className: 'two' }, el('div', { className: 'body' }, parts.daily, parts.flow), parts.quotas);
  const activity = card('Latest activity', nothing, events);
  const frame = () => page.show(parts.status, parts.choices, parts.attention, parts.numbers, quickly, figures, activity);
  let state = null;
  const draw = async () => {
    const [now, remotes, times] = await Promise.all([api.overview(page.signal), api.quotas(page.signal), api.delays(page.signal)]);
    const known = untouched(now) ? { account: await api.account(page.signal) } : null;
    state = [now, remotes];
    page.doubted = () => redraw(parts, now, remotes, known, page);
    page.doubted();
    renew(parts.flow, [now.deals, times], () => card('From gist to deal', funnel(now.deals), times && delays(times)));
    const asking = known && page.admin && !decided && await question(parts.choices, page, known.account, () => {
      decided = true;
      return draw();
    });
    parts.choices.hidden = !asking;
    if (quickly) quickly.hidden = asking;
    if (pausing) pausing.hidden = now.pushes.paused;
    for (const part of [parts.numbers, figures, activity]) part.hidden = known !== null; // They would show only zeros.
    if (!page.shown) frame();
  };
  const list = () => {
    nothing.hidden = latest.length > 0;
    keyed(events, latest, (e) => `${e.gist_id} ${e.at}`, event);
  };
  list();
  const soon = live.renewing(() => page.poll(), { settle, every: 30_000, hidden: true }, page.signal);
  live.follow({ deals: () => { list(); soon(); } }, page.signal);
  heart.follow(({ problem, now }) => {
    if (state && !problem && now.pushes.paused !== state[0].pushes.paused) soon();
  }, page.signal);
  return page.keep(draw);
}

// question shows the three choices if nobody has made one, and reports whether it does.
async function question(part, page, account, done) {
  const [all, { choices }] = await Promise.all([api.settings(page.signal), later()]);
  const open = all !== null && choices.undecided(all.settings);
  if (open) choices.choices(part, page, all.settings, account?.pipelines ?? [], done);
  return open;
}

const untouched = ({ users, deals, pending_scan_requests: pending }) => !Object.keys(users).length && !Object.keys(deals).length && !pending;

function redraw(parts, now, remotes, known, page) {
  const since = page.asOf;
  renewStatus(parts, now, remotes, since);
  renew(parts.attention, [since > 0, now.deals, now.users, now.duplicates, now.feed.gap_at, known, remotes.pushes, remotes.github, remotes.outages, remotes.quotas.filter(isLow), known && remotes.quotas], () => (known ? firstRun(page, known, remotes) : attention(now, remotes, since)));
  renew(parts.numbers, [now.deals, now.users, now.days.at(-1)], () => numbers(now));
  renew(parts.daily, now.days, () => card('Gists and deals per day', chart(now.days)));
  renew(parts.quotas, remotes.quotas, () => card('Remaining quota', quotas(remotes), el('p', {}, el('a', { href: '#/quotas' }, 'All quotas'))));
}

function renewStatus(parts, now, remotes, since) {
  renew(parts.status, [since, now.leader, now.pushes, remotes.pushes, remotes.github, remotes.database, remotes.outages, now.next_scan, now.feed, now.pending_scan_requests, now.deals.failed, now.deals.awaiting_approval, remotes.quotas.filter(isLow).length],
    () => (since ? unsure(since) : status(now, remotes)));
}

const unsure = (at) => note('warn', 'failed', el('p', { className: 'strong' }, 'Status unknown'),
  el('p', {}, 'gistdeal was last reached ', when(new Date(at).toISOString()), '. The numbers below are from then.'));

// status tells whether gistdeal runs, or the reason why it does not.
function status(now, remotes) {
  const { leader, pushes, deals } = now;
  if (!leader) return note('bad', 'failed', el('p', { className: 'strong' }, 'gistdeal isn’t running'), el('p', {}, 'No users are scanned and no deals are created. Start an instance on this database, or check its log.'));
  const all = [backoff('the database', remotes.database), backoff('Pipedrive', remotes.pushes), backoff('GitHub', remotes.github), ...outages(remotes)].filter(Boolean);
  if (all.length) return all;
  const low = remotes.quotas.filter(isLow);
  const open = [
    deals.failed && `${counted(deals.failed, 'deal')} failed`,
    deals.awaiting_approval && `${counted(deals.awaiting_approval, 'deal')} ${deals.awaiting_approval === 1 ? 'awaits' : 'await'} approval`,
    low.length && 'little quota is left',
  ].filter(Boolean);
  if (pushes.paused) return note('warn', 'pause', el('p', { className: 'strong' }, `Paused${open.length ? `, and ${sentence(open)}` : ''}`), facts(now));
  if (open.length) return note('warn', 'failed', el('p', { className: 'strong' }, `Running, but ${sentence(open)}`), facts(now));
  return note('good', 'created', el('p', { className: 'strong' }, 'All systems running'), facts(now));
}

const sentence = (parts) => parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : parts[0];

const facts = ({ pushes, feed, next_scan: next, pending_scan_requests: pending }) => el('p', {}, feed.read_at && ['New gists checked ', when(feed.read_at), ' · '],
  pushes.scans ? 'Scans are paused' : next ? ['Next scan ', due(next)] : 'No scan scheduled', pending > 0 && ` · ${counted(pending, 'new user')} being looked up`);

const gapShown = 24 * 60 * 60 * 1000; // ms

function attention({ deals, users, duplicates, feed }, { quotas: known, pushes, github, outages: away = [] }, since) {
  const gap = feed.gap_at && Date.now() - new Date(feed.gap_at) < gapShown;
  const rejected = (name, wait = {}) => wait.kind === 'unauthorized' && { mark: 'failed', tone: 'bad', text: refusal(name, wait), href: '#/quotas', verb: 'See what to do' };
  const all = [
    rejected('Pipedrive', pushes), rejected('GitHub', github),
    ...away.map(({ remote }) => ({ mark: 'failed', tone: 'warn', text: `Requests to ${remote} fail`, href: '#/quotas', verb: 'See why' })),
    deals.failed && { mark: 'failed', tone: 'bad', text: `${counted(deals.failed, 'deal')} failed`, href: '#/failures', verb: 'See reasons and retry' },
    deals.awaiting_approval && { mark: 'awaiting_approval', tone: 'warn', text: `${counted(deals.awaiting_approval, 'deal')} awaiting approval`, href: '#/deals?state=awaiting_approval', verb: 'Review' },
    users.gone && { mark: 'failed', tone: 'warn', text: `${counted(users.gone, 'user')} no longer on GitHub`, href: '#/users?state=gone', verb: 'Show users' },
    duplicates && { mark: 'failed', tone: 'warn', text: `${counted(duplicates, 'duplicate deal')} in Pipedrive`, href: '#/deals', verb: 'Show them' },
    ...known.filter(isLow).map(({ name, remaining, limit }) => ({ mark: 'pause', tone: 'warn', text: `${quotaName(name).name}: ${percent(remaining / limit)} of the quota left`, href: '#/quotas', verb: 'Show quotas' })),
    gap && { mark: 'again', tone: 'warn', text: 'Some new gists may not have been noticed at once', verb: ['All users became due for a scan ', when(feed.gap_at)] },
  ].filter(Boolean);
  return card('Needs attention', all.length
    ? el('ul', { className: 'attention-list' }, all.map(({ mark, tone, text, href, verb }) =>
      el('li', { data: { tone } }, icon(mark), el('span', { className: 'strong' }, text), href ? el('a', { href }, verb) : el('span', { className: 'quiet' }, verb))))
    : el('p', { className: 'quiet calm' }, ...(since ? ['Nothing when gistdeal was last reached.'] : [icon('created'), 'You’re all caught up.'])));
}

function numbers({ deals, users, days }) {
  const today = days.at(-1);
  const stat = (value, word, href, mark, state = '') =>
    el('a', { className: 'stat', href, data: { state } }, el('span', { className: 'value' }, count(value)), el('span', { className: 'word' }, icon(mark), word));
  const ofDeals = (state) => stat(deals[state] ?? 0, state === 'created' ? 'Deals created' : dealStates[state].word, `#/deals?state=${state}`, state, state);
  return [
    stat((users.active ?? 0) + (users.paused ?? 0) + (users.gone ?? 0), 'Users', '#/users', 'users'),
    ...['created', 'queued', 'sending', 'failed'].map(ofDeals),
    el('a', { className: 'stat today', href: '#/new?since=today&show=all' }, el('span', { className: 'value' }, today.gists > today.backfill ? `+${count(today.gists - today.backfill)}` : '0'), el('span', { className: 'word' }, icon('new'), 'New gists today')),
  ];
}

function quotas({ quotas: all }) {
  return all.length ? all.map(quota) : empty('queued', 'Not known yet', 'Quotas appear after the first requests to GitHub and Pipedrive.');
}

const firstRun = ({ may }, known, remotes) => [
  card('Connections', account(known.account, remotes)),
  card('Get started', el('ol', { className: 'steps' },
    el('li', {}, el('span', { className: 'strong' }, 'Add GitHub users. '), may ? el('a', { href: '#/add' }, 'Paste logins, links or a CSV file') : 'This needs a token with the write scope.'),
    el('li', {}, el('span', { className: 'strong' }, 'Choose which gists get a deal: '), 'all of them, or only new ones.'),
    el('li', {}, el('span', { className: 'strong' }, 'Watch the deals arrive. '), 'Each public gist gets exactly one deal. Anything that needs attention is shown on this page.'))),
];

function event({ at, gist_id: gist, login, outcome, deal_id: id, deal_url: url, reason }) {
  const { word, state } = outcomes[outcome] ?? { word: outcome, state: 'sending' };
  return el('li', { data: { state, event: gist } }, icon(state), el('span', { className: 'strong' }, word),
    id > 0 && outside(url || '', `#${id}`), login && el('a', { href: `#/users/${encodeURIComponent(login)}` }, login),
    when(at), reason && el('span', { className: 'quiet reason', dir: 'auto' }, localTimes(reason)));
}
