// The bar of actions on the selected users of the list.

import * as api from './api.js';
import { ask } from './cost.js';
import { button, el, renew } from './dom.js';
import { follow } from './operations.js';
import { attempt, confirm, toast } from './parts.js';
import { pulse } from './pulse.js';
import { undoable } from './undo.js';
import { capital, count, counted, nameOf, userStates } from './words.js';

const verbs = {
  scan: { word: 'Scan now', mark: 'again', done: 'queued for a scan', result: 'requested' },
  pause: { word: 'Pause', mark: 'pause', done: 'paused', back: 'resume' },
  resume: { word: 'Resume', mark: 'go', done: 'resumed', back: 'pause' },
  approve: { word: 'Approve', mark: 'created', done: 'approved' },
  remove: { word: 'Remove', mark: 'skipped', done: 'removed', warning: 'Scans stop, and queued deals are skipped. Existing gists and deals are kept.' },
};

// tracked are the states that the list shows without a filter.
const tracked = Object.keys(userStates).filter((state) => state !== 'removed');

// matching describes all users that match the filter, with their number if it is known.
function matching({ given: { search, state }, counts }) {
  const number = search ? '' : `${count((state ? [state] : tracked).reduce((sum, each) => sum + (counts[each] ?? 0), 0))} `;
  return `all ${number}${state ? `${userStates[state].word.toLowerCase()} ` : ''}users${search ? ` with “${search}” in the login` : ''}`;
}

// bulk is the bar of actions on the selected users. With beyond, these include
// matching users on other pages.
export function bulk(state) {
  const { chosen, all, given, next } = state;
  state.beyond &&= chosen.size === all.length;
  const more = next && chosen.size === all.length;
  state.every.checked = chosen.size > 0 && chosen.size === all.length;
  state.every.indeterminate = chosen.size > 0 && chosen.size < all.length;
  state.bulk.hidden = chosen.size === 0;
  const beyond = (on) => () => {
    state.beyond = on;
    bulk(state);
    state.bulk.querySelector('[data-beyond]')?.focus();
  };
  renew(state.bulk, [chosen.size, more, state.beyond, given], () => [
    el('div', { className: 'line' },
      el('p', { className: 'strong', role: 'status' }, state.beyond ? `${capital(matching(state))} selected` : `${counted(chosen.size, 'user')} selected`),
      state.beyond ? button('Select only the users shown', beyond(false), { data: { beyond: 'no' } }) : more && button(`Select ${matching(state)}`, beyond(true), { data: { beyond: 'yes' } })),
    el('div', { className: 'line small' }, Object.keys(verbs).map((verb) =>
      button(verbs[verb].word, () => toAll(state, verb), { mark: verbs[verb].mark, kind: verb === 'remove' ? 'danger' : '', data: { bulk: verb } }))),
  ]);
}

async function toAll(state, verb) {
  const { given, beyond } = state;
  const { word, done, back, result: wanted = done, warning = 'This includes users on other pages.' } = verbs[verb];
  const target = beyond ? matching(state) : counted(state.chosen.size, 'user');
  if ((verbs[verb].warning || beyond) && (await confirm(`${word.replace(' now', '')} ${target}?`, warning, word, { danger: verb === 'remove' })) === null) return;
  if (verb === 'approve') {
    const known = beyond ? pulse.now?.deals.awaiting_approval : state.all.filter((user) => state.chosen.has(nameOf(user))).reduce((sum, { deals }) => sum + (deals.awaiting_approval ?? 0), 0);
    if (!(await ask('Approve', known ?? 0))) return;
  }
  const which = beyond ? { search: given.search, states: given.state ? [given.state] : tracked } : { users: [...state.chosen] };
  const answer = await attempt(() => api.changeAll(which, verb));
  if (!answer) return;
  if (answer.id) {
    follow(answer);
    return;
  }
  const { users: changed, results } = answer;
  const names = results.filter(({ result }) => result === wanted).map(({ input }) => input);
  const text = `${counted(changed, 'user')} ${done}`;
  if (back && names.length) undoable(state.page, text, () => api.changeAll({ users: names }, back), { done: (undone) => `${counted(undone.users, 'user')} ${verbs[back].done}`, changed: state.read });
  else if (changed) toast(text);
  const unchanged = results.filter(({ result }) => result !== wanted);
  if (unchanged.length) toast(`${counted(unchanged.length, 'user')} not changed: ${unchanged.slice(0, 3).map(({ input, reason }) => `${input}: ${reason}`).join('; ')}`, 'bad');
  state.chosen.clear();
  state.beyond = false;
  for (const box of state.table.querySelectorAll('.part input')) box.checked = false;
  await attempt(state.read);
  state.page.root.querySelector('#search').focus();
}
