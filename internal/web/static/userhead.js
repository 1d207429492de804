// The state of a user and its actions.

import * as api from './api.js';
import { button, el, outside } from './dom.js';
import { attempt, confirm, empty, note, userBadge, when } from './parts.js';
import { track } from './quick.js';
import { capital, counted, localTimes } from './words.js';

const backfills = { all: 'deals for all gists', none: 'deals for new gists only' };
const askEvery = 5000; // ms between two reads of a user that is not known yet

export function about(state) {
  const { user, page } = state;
  return [
    el('div', { className: 'between' },
      el('p', { className: 'facts' }, userBadge(user.state),
        outside(`https://gist.github.com/${encodeURIComponent(user.login)}`, 'Gists at GitHub'),
        el('span', {}, 'scanned ', when(user.last_scan_at)),
        user.state === 'active' && el('span', {}, 'next ', when(user.next_scan_at, 'not planned')),
        el('span', {}, backfills[user.backfill] ?? `deals for gists since ${user.backfill}`)),
      page.may && actions(state)),
    user.problem && note(user.state === 'gone' ? 'bad' : 'warn', 'failed', el('p', { dir: 'auto' }, localTimes(user.problem))),
  ];
}

function actions({ user: { login, state: now, deals }, follow }) {
  const act = (verb, done) => async () => (await attempt(() => api.change(login, verb), done)) && attempt(follow);
  const remove = async () => {
    const yes = await confirm(`Remove ${login}?`, 'The user is no longer scanned, and queued deals are skipped. Gists and deals are kept.', 'Remove', { danger: true });
    if (yes !== null && (await attempt(() => api.change(login, 'remove'), `${login} is removed`))) location.hash = '#/users';
  };
  const does = (name, mark = '', kind = '') => ({ mark, kind, data: { act: name } });
  return el('div', { className: 'line small' },
    deals.awaiting_approval > 0 && button(`Approve ${counted(deals.awaiting_approval, 'deal')}`, act('approve', 'Deals queued'), does('approve', 'created', 'primary')),
    button('Scan now', act('scan', 'Scan queued'), does('scan', 'again')),
    now === 'paused'
      ? button('Resume', act('resume', 'Resumed'), does('resume', 'go'))
      : button('Pause', act('pause', 'Paused: no more scans; queued deals are still created'), does('pause', 'pause')),
    button('Remove', remove, does('remove', '', 'plain')));
}

// offer shows that a user is not tracked. It tracks nobody by itself: a link on
// another site may lead here, and following it must not create deals.
export function offer({ page, read }, problem) {
  if (problem.status === 400) {
    page.show(empty('failed', `“${page.login}” cannot be a GitHub login`, 'Check the spelling.', el('a', { href: '#/users' }, 'All users')));
    return;
  }
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const go = button(`Track ${page.login}`, async () => {
    wrong.textContent = await track(page.login);
    if (!wrong.textContent) await attempt(read);
  }, { kind: 'primary', id: 'track' });
  const waits = problem.message.includes('not tracked yet');
  if (waits) page.timer = setTimeout(() => attempt(read), askEvery);
  page.show(empty(waits ? 'queued' : 'users', `${page.login} is not tracked${waits ? ' yet' : ''}`,
    waits ? `${capital(problem.message)}. The user appears here once GitHub has answered.` : 'Creates one deal per public gist, now and in future.', !waits && page.may && go), wrong);
}
