// How a user stands, and what can be done about it.

import * as api from './api.js';
import { button, el, outside } from './dom.js';
import { attempt, confirm, empty, note, userBadge, when } from './parts.js';
import { track } from './quick.js';
import { capital, counted, localTimes } from './words.js';

const backfills = { all: 'deals for all gists', none: 'deals for new gists only' };
const askEvery = 5000; // ms between two looks at a user who is not known yet

export function about(state) {
  const { user: found, page } = state;
  return [
    el('div', { className: 'between' },
      el('p', { className: 'facts' }, userBadge(found.state),
        outside(`https://gist.github.com/${encodeURIComponent(found.login)}`, 'Gists at GitHub'),
        el('span', {}, 'scanned ', when(found.last_scan_at)),
        found.state === 'active' && el('span', {}, 'next ', when(found.next_scan_at, 'not planned')),
        el('span', {}, backfills[found.backfill] ?? `deals for gists since ${found.backfill}`)),
      page.may && actions(state)),
    found.problem && note(found.state === 'gone' ? 'bad' : 'warn', 'failed', el('p', { dir: 'auto' }, localTimes(found.problem))),
  ];
}

function actions({ user: { login, state: now, deals }, follow }) {
  const act = (verb, done) => async () => (await attempt(() => api.change(login, verb), done)) && attempt(follow);
  const remove = async () => {
    const yes = await confirm(`Remove ${login}?`, 'It is not scanned any more, and deals that wait are skipped. Its gists and deals are kept.', 'Remove', { danger: true });
    if (yes !== null && (await attempt(() => api.change(login, 'remove'), `${login} is removed`))) location.hash = '#/users';
  };
  const does = (name, mark = '', kind = '') => ({ mark, kind, data: { act: name } });
  return el('div', { className: 'line small' },
    deals.held > 0 && button(`Say yes to ${counted(deals.held, 'deal')}`, act('approve', 'Its deals wait for their turn'), does('approve', 'made', 'primary')),
    button('Scan now', act('scan', 'It is scanned next'), does('scan', 'again')),
    now === 'paused'
      ? button('Resume', act('resume', 'It is scanned next'), does('resume', 'go'))
      : button('Pause', act('pause', 'It is not scanned any more; its deals go on'), does('pause', 'held')),
    button('Remove', remove, does('remove', '', 'plain')));
}

// offer says that a user is not tracked. It tracks nobody by itself: a link on
// some other site may lead here, and following it must not make deals.
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
  page.show(empty(waits ? 'found' : 'users', `${page.login} is not tracked${waits ? ' yet' : ''}`,
    waits ? `${capital(problem.message)}. It is shown here once that is known.` : 'Tracking makes one deal in Pipedrive for each public gist, now and later.', !waits && page.may && go), wrong);
}
