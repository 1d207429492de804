// The quotas and backoffs of both remotes, and the pause of all pushes.

import * as api from './api.js';
import { el, renew } from './dom.js';
import { card, due, empty, meter, note, when } from './parts.js';
import { pauseButton } from './pause.js';
import * as heart from './pulse.js';
import { capital, count, counted, localTimes, percent, quotaName, span } from './words.js';

const readEvery = 10_000; // ms

export function quotas(page) {
  page.head('Quotas');
  const creation = el('section', { className: 'card' });
  const read = async () => {
    const [now, { pushes, leader }] = await Promise.all([api.quotas(page.signal), api.overview(page.signal)]);
    page.paused = pushes.paused;
    page.doubted = () => renew(creation, [page.asOf > 0, pushes.paused, leader, now.pushes, now.database, now.outages], () => [el('h2', {}, 'Deal creation'), creating(page, { ...now, paused: pushes.paused, leader }, read)]);
    page.doubted();
    const text = JSON.stringify(now);
    if (text === page.drawn) return; // Keep the focus.
    page.drawn = text;
    page.show(
      creation,
      backoff('Pipedrive', now.pushes), backoff('GitHub', now.github), backoff('the database', now.database), ...outages(now),
      card('Remaining quota', now.quotas.length ? el('div', { className: 'quota-list' }, now.quotas.map(quota)) : empty('queued', 'Not known yet', 'Quotas appear after the first requests to GitHub and Pipedrive.')),
      ...(now.sweep ? [card('Sweeps', el('p', {}, ...sweep(now.sweep)))] : []));
  };
  const timer = setInterval(() => page.poll(), readEvery);
  page.signal.addEventListener('abort', () => clearInterval(timer));
  heart.follow(({ now }) => now?.pushes.paused !== page.paused && page.poll(), page.signal);
  return page.keep(read);
}

// sweep says how often all users are scanned, and what that costs.
function sweep(plan) {
  const cost = plan.batches ? counted(plan.points_per_hour, 'point') : counted(plan.requests_per_hour, 'request');
  return [
    `${counted(plan.users, 'user')}: every ${span(plan.interval_seconds)}, ${cost} an hour`,
    plan.first_pass_at ? ', first pass done by ' : '.', plan.first_pass_at ? when(plan.first_pass_at) : '',
    plan.interval_seconds > Math.ceil(plan.wanted_seconds) && el('span', { className: 'late' }, ` GitHub’s limits do not allow every ${span(plan.wanted_seconds)}, as configured.`),
  ];
}

// quota shows the remaining part of a quota.
export function quota({ name, limit, remaining, reserved, reset, seen_at: seen }) {
  const { name: title, unit, about } = quotaName(name);
  const text = `${count(remaining)} of ${count(limit)} ${unit} left`;
  return el('div', { className: 'quota', data: { quota: name } },
    el('p', { className: 'between' }, el('span', { className: 'strong' }, title), el('span', {}, limit ? percent(remaining / limit) : '')),
    meter(title, text, remaining, limit, reserved),
    el('p', { className: 'quiet' }, text, reserved > 0 && ` · ${count(reserved)} reserved for your team`, reset && [' · resets ', when(reset)]),
    el('p', { className: 'quiet about-quota' }, about, seen && [' Updated ', when(seen), '.']));
}

const remedies = {
  Pipedrive: 'Create an API token in Pipedrive under Personal preferences → API, set it as PIPEDRIVE_API_KEY and restart gistdeal, or send it SIGHUP if the key is in a file.',
  GitHub: 'Create a token at github.com/settings/tokens, without any scope, set it as GITHUB_TOKEN and restart gistdeal, or send it SIGHUP if the token is in a file.',
};

// refusal says that a remote does not accept its credential, or does not allow what gistdeal does.
export const refusal = (name, { new_key: rejected }) => (name === 'GitHub' ? 'GitHub rejected the token' : rejected ? 'Pipedrive rejected the API key' : 'Pipedrive does not allow deals');

// backoff explains the wait for a remote; it is undefined if there is none.
export function backoff(name, wait = {}) {
  const { kind, reason, until, new_key: rejected } = wait;
  if (!reason) return undefined;
  const refused = kind === 'unauthorized';
  return note(refused ? 'bad' : 'warn', refused ? 'failed' : 'pause',
    el('p', { className: 'strong' }, refused ? refusal(name, wait) : `Waiting for ${name}`),
    el('p', { dir: 'auto' }, capital(localTimes(reason))), refused && (rejected || name === 'GitHub') && el('p', {}, remedies[name]), until && el('p', {}, 'Next try ', due(until), '. Nothing is lost.'));
}

// outages explains which remotes don't answer. A wait for a remote has told of it already.
export const outages = ({ outages: all = [], pushes, github }) => all.filter(({ remote }) => !(remote === 'GitHub' ? github : pushes).reason).map(({ remote, since, reason }) => note('warn', 'failed',
  el('p', { className: 'strong' }, `Requests to ${remote} fail`), el('p', { dir: 'auto' }, capital(localTimes(reason))),
  el('p', {}, 'Since ', when(since), '. gistdeal tries again by itself, and nothing is lost.')));

// creating says whether deals are created, as far as that is known.
function creating({ admin, asOf }, { paused, leader, pushes, database, outages: away }, read) {
  const changed = () => Promise.all([read(), heart.check()]);
  const [word, more] = asOf ? ['Unknown. ', 'This view is out of date.']
    : paused ? ['Paused. ', 'Resume above.']
      : !leader ? ['Stopped. ', 'gistdeal isn’t running: no instance works on this database.']
        : pushes?.reason || database?.reason || away?.some(({ remote }) => remote === 'Pipedrive') ? ['Waiting. ', 'The reason is below. Queued deals are kept.']
          : ['Running. ', 'Deals are created as fast as the quotas allow.'];
  return el('div', { className: 'quick' },
    el('p', {}, el('span', { className: 'strong' }, word), more),
    admin
      ? !paused && el('div', { className: 'line' }, pauseButton(changed))
      : el('p', { className: 'quiet' }, 'Only admin tokens can change this.'));
}
