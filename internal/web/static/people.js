// The user of this browser, and the people with a sign-in at the OpenID Connect provider.

import * as api from './api.js';
import { button, el } from './dom.js';
import { attempt, badge, confirm, when } from './parts.js';
import { scopes } from './tokens.js';
import { counted } from './words.js';

export function people({ name, scope }, all, read) {
  const { word, means } = scopes[scope];
  return [
    el('p', { id: 'me' }, name ? ['You are ', el('span', { className: 'strong' }, name), ', with the scope '] : 'Nobody needs a token yet. This browser has the scope ',
      el('span', { className: 'strong' }, word.toLowerCase()), `: ${means}.`),
    all.length > 0 && table(all, read),
  ];
}

const table = (all, read) => el('table', { className: 'tokens small' },
  el('thead', {}, el('tr', {}, ['Person', 'Scope', 'Action'].map((word) => el('th', { scope: 'col' }, word)))),
  el('tbody', {}, all.map((one) => row(one, read))));

function row({ name, scope, log_ins: logIns, signed_in_at: at }, read) {
  const act = async (run, done) => (await attempt(run, done)) && attempt(read);
  const signOut = () => act(() => api.signOutPerson(name), `${name} is signed out everywhere`);
  const forget = async () => {
    const yes = await confirm(`Forget ${name}?`, 'The name, all log-ins and all visits are deleted. Entries of the audit log stay. The person can sign in again while the provider allows it.', 'Forget', { danger: true });
    if (yes !== null) await act(() => api.forgetPerson(name), `${name} is forgotten`);
  };
  return el('tr', { data: { person: name } },
    el('th', { scope: 'row' }, name, el('p', { className: 'quiet' }, `${counted(logIns, 'open log-in')}, last sign-in `, when(at))),
    el('td', {}, scope ? badge(scopes[scope].tone, scopes[scope].mark, scopes[scope].word) : 'None'),
    el('td', { className: 'act' }, el('div', { className: 'line end' },
      logIns > 0 && button('Sign out', signOut, { ariaLabel: `Sign out ${name} everywhere`, data: { act: 'sign-out' } }),
      button('Forget', forget, { kind: 'danger', ariaLabel: `Forget ${name}`, data: { act: 'forget' } }))));
}
