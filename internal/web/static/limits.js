// The limits of both remotes, and the pause of all pushes.

import * as api from './api.js';
import { button, el } from './dom.js';
import { attempt, card, confirm, empty, meter, note, when } from './parts.js';
import { budgetName, count, localTimes, percent } from './words.js';

const readEvery = 10_000; // ms

export function limits(page) {
  page.head('Limits');
  const read = async () => {
    const [now, { pushes }] = await Promise.all([api.limits(page.signal), api.overview(page.signal)]);
    const told = JSON.stringify([now, pushes]);
    if (told === page.told) return; // What has the focus stays.
    page.told = told;
    page.show(
      card('Making deals', pausing(page, pushes, read)),
      gate('Pipedrive', now.pushes), gate('GitHub', now.github),
      card('What is left', now.budgets.length ? el('div', { className: 'budget-list' }, now.budgets.map(budget)) : empty('found', 'Not known yet', 'The first answers of GitHub and Pipedrive tell.')));
  };
  const timer = setInterval(() => read().catch(() => {}), readEvery); // The stream tells when the server is away.
  page.signal.addEventListener('abort', () => clearInterval(timer));
  return page.keep(read);
}

// budget shows what is left of an allowance.
export function budget({ name, limit, remaining, kept, reset, seen_at: seen }) {
  const { name: title, unit, about } = budgetName(name);
  const text = `${count(remaining)} of ${count(limit)} ${unit} left`;
  return el('div', { className: 'budget', data: { budget: name } },
    el('p', { className: 'between' }, el('span', { className: 'strong' }, title), el('span', {}, limit ? percent(remaining / limit) : '')),
    meter(title, text, remaining, limit, kept),
    el('p', { className: 'quiet' }, text, kept > 0 && ` · ${count(kept)} kept for people`, ' · whole again ', when(reset)),
    el('p', { className: 'quiet about-budget' }, about, ' Seen ', when(seen), '.'));
}

const gate = (name, { reason, until } = {}) =>
  reason && note('warn', 'held', el('p', { className: 'strong' }, `${name} makes gistdeal wait`), el('p', { dir: 'auto' }, localTimes(reason)), el('p', {}, 'It tries again ', when(until), '.'));

function pausing({ admin }, { paused, since, reason }, read) {
  const act = async (run, done) => (await attempt(run, done)) && read();
  const pause = async () => {
    const words = await confirm('Pause making deals?', 'Users are scanned all the same; their deals wait. A restart changes nothing about it.', 'Pause', { ask: 'Reason (optional)' });
    if (words !== null) await act(() => api.pausePushes(words), 'No deal is made until you resume');
  };
  return el('div', { className: 'quick' },
    paused
      ? el('p', {}, el('span', { className: 'strong' }, 'Paused by a person'), ' since ', when(since), reason && `: ${reason}`)
      : el('p', {}, el('span', { className: 'strong' }, 'On. '), 'Each new gist gets its deal as fast as the limits allow.'),
    admin
      ? el('div', { className: 'line' }, paused ? button('Resume', () => act(api.resumePushes, 'Deals are made again'), { kind: 'primary', mark: 'go' }) : button('Pause', pause, { mark: 'held' }))
      : el('p', { className: 'quiet' }, 'Whoever has an admin token can change this.'));
}
