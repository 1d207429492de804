// The state of a user, with its actions.

import * as api from './api.js';
import { button, el, outside } from './dom.js';
import { attempt, confirm, due, empty, note, userBadge, when } from './parts.js';
import { backfillList } from './backfill.js';
import { ask } from './cost.js';
import { track } from './quick.js';
import { undoable } from './undo.js';
import { capital, counted, localTimes, nameOf } from './words.js';

const backfills = { all: 'deals for all gists', none: 'deals for new gists only' };
const retryEvery = 5000; // ms between requests for a user that is not tracked yet

export function about(state) {
  const { user: current, page } = state;
  return [
    el('div', { className: 'between' },
      el('p', { className: 'facts' }, userBadge(current.state),
        outside(`https://gist.github.com/${encodeURIComponent(current.login)}`, 'Gists on GitHub'),
        el('a', { href: `#/deals?user=${encodeURIComponent(nameOf(current))}` }, 'Its deals'),
        el('span', {}, 'last scan ', when(current.last_scan_at)),
        current.state === 'active' && el('span', {}, 'next scan ', due(current.next_scan_at, 'not scheduled')),
        el('span', {}, backfills[current.backfill] ?? `deals for gists since ${current.backfill}`)),
      page.may && actions(state)),
    current.problem && note(current.state === 'gone' ? 'bad' : 'warn', 'failed', el('p', { dir: 'auto' }, localTimes(current.problem))),
  ];
}

const turns = { pause: { back: 'resume', done: 'paused', more: '. Queued deals are still created.' }, resume: { back: 'pause', done: 'resumed', more: '' } };

function actions(state) {
  const { user, follow, page } = state;
  const { login, state: now, deals } = user;
  const act = (verb, done) => async () => (await attempt(() => api.change(nameOf(user), verb), done)) && attempt(follow);
  // turn pauses or resumes the user.
  const turn = (verb) => async () => {
    const answer = await attempt(() => api.change(nameOf(user), verb), ({ result, reason }) => (result === 'unchanged' ? capital(reason) : ''));
    if (!answer) return;
    const { back, done, more } = turns[verb];
    if (answer.result !== 'unchanged') undoable(page, `${login} ${done}${more}`, () => api.change(nameOf(user), back), { done: `${login} ${turns[back].done}`, changed: follow });
    await attempt(follow);
    page.root.querySelector(`[data-act="${back}"]`)?.focus();
  };
  const remove = async () => {
    const yes = await confirm(`Remove ${login}?`, 'Scans stop, and queued deals are skipped. Existing gists and deals are kept.', 'Remove', { danger: true });
    if (yes !== null && (await attempt(() => api.change(nameOf(user), 'remove'), `${login} removed`))) location.hash = '#/users';
  };
  const action = (name, mark = '', kind = '') => ({ mark, kind, data: { act: name } });
  return el('div', { className: 'line small' },
    deals.awaiting_approval > 0 && button(`Approve ${counted(deals.awaiting_approval, 'deal')}`, async () => (await ask('Approve', deals.awaiting_approval)) && act('approve', 'Deals approved and queued')(), action('approve', 'created', 'primary')),
    now !== 'paused' && button('Scan now', act('scan', 'Scan queued'), action('scan', 'again')),
    now === 'paused'
      ? button('Resume', turn('resume'), action('resume', 'go'))
      : button('Pause', turn('pause'), action('pause', 'pause')),
    button('Remove', remove, action('remove', '', 'plain')),
    page.admin && el('a', { href: `#/erase?user=${encodeURIComponent(nameOf(user))}`, className: 'button plain', data: { act: 'erase' } }, 'Erase…'));
}

// offer offers to track the user. It needs a click, because a link on another site
// must not create deals.
export function offer({ page, read }, problem) {
  if (problem.status === 400) {
    page.show(empty('failed', `“${page.login}” isn’t a GitHub login`, 'Check the spelling.', el('a', { href: '#/users' }, 'All users')));
    return;
  }
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const choice = backfillList(() => {});
  const go = button(`Track ${page.login}`, async () => {
    wrong.textContent = await track(page.login, choice.value());
    if (!wrong.textContent) await attempt(read);
  }, { kind: 'primary', id: 'track' });
  const pending = problem.message.includes('not tracked yet');
  if (pending) page.timer = setTimeout(() => attempt(read), retryEvery);
  page.show(empty(pending ? 'queued' : 'users', `${page.login} is not tracked${pending ? ' yet' : ''}`,
    pending ? `${capital(problem.message)}. This page updates automatically.` : 'Choose which of its gists get a deal.', ...(!pending && page.may ? [choice.parts, go] : [])), wrong);
}
