// The quotas of both remotes, and the pause of deal creation.

import * as api from './api.js';
import { button, el } from './dom.js';
import { attempt, card, confirm, empty, meter, note, when } from './parts.js';
import { quotaName, count, localTimes, percent } from './words.js';

const readEvery = 10_000; // ms

export function quotas(page) {
  page.head('Quotas');
  const read = async () => {
    const [now, { pushes }] = await Promise.all([api.quotas(page.signal), api.overview(page.signal)]);
    const told = JSON.stringify([now, pushes]);
    if (told === page.told) return; // Keep the focus.
    page.told = told;
    page.show(
      card('Deal creation', pausing(page, pushes, read)),
      waiting('Pipedrive', now.pushes), waiting('GitHub', now.github),
      card('Remaining quota', now.quotas.length ? el('div', { className: 'quota-list' }, now.quotas.map(quota)) : empty('queued', 'Not known yet', 'Quotas appear with the first answers of GitHub and Pipedrive.')));
  };
  const timer = setInterval(() => read().catch(() => {}), readEvery); // The event stream reports an unreachable server.
  page.signal.addEventListener('abort', () => clearInterval(timer));
  return page.keep(read);
}

// quota shows the remaining quota.
export function quota({ name, limit, remaining, reserved, reset, seen_at: seen }) {
  const { name: title, unit, about } = quotaName(name);
  const text = `${count(remaining)} of ${count(limit)} ${unit} left`;
  return el('div', { className: 'quota', data: { quota: name } },
    el('p', { className: 'between' }, el('span', { className: 'strong' }, title), el('span', {}, limit ? percent(remaining / limit) : '')),
    meter(title, text, remaining, limit, reserved),
    el('p', { className: 'quiet' }, text, reserved > 0 && ` · ${count(reserved)} reserved for your team`, ' · resets ', when(reset)),
    el('p', { className: 'quiet about-quota' }, about, ' Seen ', when(seen), '.'));
}

// waiting shows a backoff from a remote, and nothing without one.
export function waiting(name, { kind, reason, until } = {}) {
  if (!reason) return null;
  const rejected = kind === 'unauthorized';
  return note(rejected ? 'bad' : 'warn', rejected ? 'failed' : 'pause',
    el('p', { className: 'strong' }, rejected ? `${name} rejected the ${name === 'GitHub' ? 'token' : 'API key'}` : `Waiting for ${name}`),
    el('p', { dir: 'auto' }, localTimes(reason)), el('p', {}, 'Next try ', when(until), '. Nothing is lost meanwhile.'));
}

function pausing({ admin }, { paused, since, reason }, read) {
  const act = async (run, done) => (await attempt(run, done)) && read();
  const pause = async () => {
    const words = await confirm('Pause deal creation?', 'Users are still scanned; their deals wait. The pause survives restarts.', 'Pause', { ask: 'Reason (optional)' });
    if (words !== null) await act(() => api.pausePushes(words), 'Deal creation is paused');
  };
  return el('div', { className: 'quick' },
    paused
      ? el('p', {}, el('span', { className: 'strong' }, 'Paused'), ' since ', when(since), reason && `: ${reason}`)
      : el('p', {}, el('span', { className: 'strong' }, 'On. '), 'Each new gist gets its deal as fast as the quotas allow.'),
    admin
      ? el('div', { className: 'line' }, paused ? button('Resume', () => act(api.resumePushes, 'Deal creation resumed'), { kind: 'primary', mark: 'go' }) : button('Pause', pause, { mark: 'pause' }))
      : el('p', { className: 'quiet' }, 'You need an admin token to change this.'));
}
