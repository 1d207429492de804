// The erasure of a person: first a name, then the effects, and a confirmation. Only admins see it.

import * as api from './api.js';
import { el, outside, renew } from './dom.js';
import { back, copying, empty, note, userBadge } from './parts.js';
import { capital, counted } from './words.js';

export function erase(page) {
  page.head('Erase a person', back());
  if (!page.admin) {
    page.show(empty('locked', 'Only admins erase people', 'Sign in with a token of scope admin.'));
    return undefined;
  }
  const login = page.query.get('user') ?? '';
  const question = el('section', { className: 'card', id: 'erase' });
  let done = null;
  const read = async () => {
    const found = login && !done ? await known(login, page.signal) : null;
    renew(question, [found, done], () => done ? after(login, done) : found ? ask(found, login, (result) => {
      done = result;
      return read();
    }) : search(login));
    if (!page.shown) page.show(question, effects());
  };
  return page.keep(read);
}

const known = (login, signal) => api.user(login, signal).catch((problem) => {
  if (problem.status === 404 || problem.status === 400) return null;
  throw problem;
});

// search asks for the login.
function search(missed) {
  const field = el('input', { id: 'erase-login', value: missed, required: true, maxLength: 100, autocomplete: 'off', autocapitalize: 'none', spellcheck: false, attrs: { 'aria-describedby': 'erase-login-hint' } });
  const form = el('form', { className: 'options' },
    el('p', { className: 'field' }, el('label', { htmlFor: 'erase-login' }, 'GitHub login'), field,
      el('span', { className: 'quiet', id: 'erase-login-hint' }, 'Also of a user that was removed. Users with a login that is taken by another person are named by their number: id:583231.')),
    missed && el('p', { className: 'wrong', role: 'alert' }, `gistdeal doesn’t know ${missed}. There is nothing to erase.`),
    el('div', { className: 'line' }, el('button', { className: 'primary' }, 'Continue')));
  form.onsubmit = (event) => {
    event.preventDefault();
    location.hash = `#/erase?${new URLSearchParams({ user: field.value.trim() })}`;
  };
  return [el('h2', {}, 'Which user?'), form];
}

// ask asks for the login once more: nothing brings back the data.
function ask({ login, state, deals }, name, erased) {
  const all = Object.values(deals).reduce((sum, n) => sum + n, 0);
  const field = el('input', { id: 'erase-confirm', required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: false });
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const go = el('button', { className: 'danger', id: 'erase-now' }, `Erase ${login} for good`);
  const form = el('form', { className: 'options' },
    el('p', { className: 'facts' }, userBadge(state), `${counted(all, 'gist')}, ${counted(deals.created ?? 0, 'deal')} in Pipedrive`),
    el('p', { className: 'field' }, el('label', { htmlFor: 'erase-confirm' }, `Type ${name} to confirm`), field),
    wrong, el('div', { className: 'line' }, go, el('a', { href: '#/settings', className: 'button' }, 'Cancel')));
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (go.ariaBusy === 'true') return;
    if (field.value.trim().toLowerCase() !== name.toLowerCase()) {
      wrong.textContent = `This is not ${name}. Nothing was erased.`;
      field.focus();
      return;
    }
    go.ariaBusy = 'true';
    wrong.textContent = '';
    try {
      await erased(await api.erase(name));
    } catch (problem) {
      wrong.textContent = capital(problem.message);
    } finally {
      go.ariaBusy = null;
    }
  };
  return [el('h2', {}, `Erase ${login}?`), form];
}

// after lists the remains, with their places.
function after(login, { reserved, deals, rules, warning }) {
  const urls = deals.map(({ url }) => url).filter(Boolean);
  return [
    el('h2', {}, `${login} is erased`),
    el('div', { className: 'account', id: 'erased', role: 'status' },
      el('p', {}, `gistdeal keeps ${counted(reserved, 'gist id')}, each with the id of its deal only.`),
      warning && note('warn', 'failed', el('p', {}, capital(warning))),
      rules?.length > 0 && note('warn', 'failed', el('p', {}, `These rules still have the login in a condition: ${rules.join(', ')}. `, el('a', { href: '#/rules' }, 'Change them'), '.')),
      deals.length > 0 && [el('p', {}, `${counted(deals.length, 'deal')} ${deals.length === 1 ? 'remains' : 'remain'} in Pipedrive. Delete ${deals.length === 1 ? 'it' : 'them'} there:`),
        el('ul', { className: 'facts' }, deals.map(({ id, url }) => el('li', {}, outside(url, `#${id}`)))), urls.length > 0 && copying('Copy the addresses', urls.join('\n'))]),
  ];
}

const places = [
  ['In gistdeal', 'The user, all texts about the gists, their history, scans, events and visits', 'Gist ids with deal ids, so that no deal is created again, and a keyed hash of the login and number, so that the person isn’t tracked again by accident'],
  ['In Pipedrive', 'Nothing', 'The deals. You get a list of them; delete them there'],
  ['Backups and copies', 'Nothing', 'Everything from before. Delete them, or erase again after restoring one'],
  ['Logs', 'Nothing', 'Lines with the login, until they expire'],
];

// effects is a table of the effects, by place.
const effects = () => el('section', { className: 'card' }, el('h2', {}, 'What an erasure does'),
  el('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'What an erasure does' },
    el('table', { id: 'erase-effects' }, el('thead', {}, el('tr', {}, ['Place', 'What goes', 'What stays'].map((word) => el('th', { scope: 'col' }, word)))),
      el('tbody', {}, places.map(([place, goes, stays]) => el('tr', {}, el('th', { scope: 'row' }, place), el('td', {}, goes), el('td', {}, stays)))))),
  el('p', { className: 'quiet' }, 'Deals that wait are never created. A deal that is being sent is waited for. You can’t undo this.'));
