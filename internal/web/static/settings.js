// How gistdeal is set: the two accounts it works for, choices, and who may ask.

import * as api from './api.js';
import { account, unknown } from './account.js';
import { button, el, icon, renew } from './dom.js';
import { attempt, badge, card, confirm, dialog, empty, toast, when } from './parts.js';
import { capital } from './words.js';

const scopes = {
  read: { word: 'Read', mark: 'found', tone: 'good', means: 'sees everything, changes nothing' },
  write: { word: 'Write', mark: 'sending', tone: 'info', means: 'also adds and changes users, retries and skips deals' },
  admin: { word: 'Admin', mark: 'users', tone: 'warn', means: 'also pauses pushes, changes settings and makes tokens' },
};

const names = {
  pipeline: 'Pipeline of new deals', stage: 'Stage of new deals', owner: 'Owner of new deals', backfill: 'Gists that a new user has already', approval_threshold: 'Deals of a first scan without approval',
};

export function settings(page) {
  page.head('Settings');
  const parts = Object.fromEntries(['account', 'choices', 'tokens'].map((name) => [name, el('section', { className: 'card', id: name })]));
  const read = async () => {
    const [known, limits, all, tokens] = await Promise.all([
      api.account(page.signal), api.limits(page.signal), api.settings(page.signal), page.admin ? api.tokens(page.signal) : null,
    ]);
    renew(parts.account, [known, limits.budgets], () => [el('h2', {}, 'Accounts'), account(known, limits.budgets)]);
    renew(parts.choices, all, () => [el('h2', {}, 'Choices'), all ? choices(page, all.settings, read) : unknown()]);
    renew(parts.tokens, tokens, () => [el('h2', {}, 'API tokens'), tokens ? listed(tokens.tokens, read) : el('p', { className: 'quiet' }, 'Who has an admin token sees and changes them.')]);
    if (!page.shown) page.show(...Object.values(parts), el('p', { className: 'quiet' }, 'Making deals is paused and resumed under ', el('a', { href: '#/limits' }, 'Limits'), '.'));
  };
  return page.keep(read);
}

function choices({ admin }, all, read) {
  const fields = all.map((one) => choice(one, admin));
  if (!admin || all.every((one) => one.locked_by)) return [fields, !admin && el('p', { className: 'quiet' }, 'Who has an admin token can change them.')];
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const save = el('button', { className: 'primary', id: 'save' }, 'Save');
  const form = el('form', { className: 'choices' }, fields, wrong, el('div', { className: 'line' }, save));
  form.onsubmit = async (event) => {
    event.preventDefault();
    wrong.textContent = '';
    save.ariaBusy = 'true';
    const changed = all.filter((one) => !one.locked_by && form.elements[one.name].value !== chosen(one));
    try {
      if (changed.length) await api.set(Object.fromEntries(changed.map(({ name }) => [name, form.elements[name].value])));
      toast(changed.length ? 'Saved: deals and users from now on follow it' : 'Nothing was changed');
      await read();
    } catch (problem) {
      wrong.textContent = capital(problem.message);
    } finally {
      save.ariaBusy = null;
    }
  };
  return form;
}

// chosen is what a person chose; empty where it is as configured.
const chosen = ({ value, default: usual }) => (value === usual ? '' : value);

// usually is what an empty setting means.
const usually = (name) => (name === 'owner' ? 'whose the key is' : 'the account’s default');

// choice is a setting: a choice, or a text, or what locks it.
function choice(one, admin) {
  const { name, value, default: usual, locked_by: locked, options: some, doc } = one;
  const word = names[name] ?? name;
  const hint = el('span', { className: 'quiet', id: `${name}-hint` }, doc && capital(doc));
  if (locked || !admin) {
    return el('div', { className: 'field', data: { setting: name } }, el('p', { className: 'strong' }, word),
      el('p', { className: 'line' }, el('span', {}, value || capital(usually(name))), locked && el('span', { className: 'badge', data: { tone: 'none' } }, icon('locked'), `Locked by ${locked}`)), hint);
  }
  const props = { id: `set-${name}`, name, attrs: { 'aria-describedby': `${name}-hint` } };
  const now = chosen(one);
  const others = [...new Set([...(some ?? []), now])].filter((each) => each && each !== usual);
  const field = some
    ? el('select', props, el('option', { value: '' }, `As configured: ${usual || usually(name)}`), others.map((each) => el('option', { value: each, selected: each === now }, each)))
    : el('input', { ...props, value: now, placeholder: usual, autocomplete: 'off' });
  return el('p', { className: 'field', data: { setting: name } }, el('label', { htmlFor: `set-${name}` }, word), field, hint);
}

function listed(tokens, read) {
  const line = ({ name, scope, created_at: made, last_used_at: used }) => {
    const { word, mark, tone } = scopes[scope];
    return el('tr', { data: { token: name } },
      el('th', { scope: 'row' }, name, el('p', { className: 'quiet' }, 'made ', when(made), ', last used ', when(used))),
      el('td', {}, badge(tone, mark, word)),
      el('td', { className: 'act' }, button('Revoke', () => revoke(name, read), { kind: 'danger', ariaLabel: `Revoke ${name}`, data: { act: 'revoke' } })));
  };
  return [
    tokens.length
      ? el('table', { className: 'tokens small' }, el('thead', {}, el('tr', {}, ['Name', 'May', 'Do'].map((word) => el('th', { scope: 'col' }, word)))), el('tbody', {}, tokens.map(line)))
      : empty('users', 'No token yet', 'Without one, only who is on this machine, or whoever can reach it in open mode, may ask.'),
    making(read),
  ];
}

async function revoke(name, read) {
  const yes = await confirm(`Revoke ${name}?`, 'Programs that have it, and browsers that are signed in by it, are refused from now on. This cannot be undone.', 'Revoke', { danger: true });
  if (yes !== null && await attempt(() => api.revoke(name), ({ reason }) => `${name} is revoked${reason ? `: ${reason}` : ''}`)) await attempt(read);
}

function making(read) {
  const name = el('input', { id: 'token-name', required: true, maxLength: 64, autocomplete: 'off', attrs: { 'aria-describedby': 'token-name-hint' } });
  const pick = ([scope, { word, means }]) => el('label', { className: 'choice' }, el('input', { type: 'radio', name: 'scope', value: scope, checked: scope === 'read' }), el('span', {}, el('span', { className: 'strong' }, word), ' ', el('span', { className: 'quiet' }, means)));
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const make = el('button', { className: 'primary', id: 'make-token' }, 'Make a token');
  const form = el('form', { className: 'choices' },
    el('p', { className: 'field' }, el('label', { htmlFor: 'token-name' }, 'Name of a new token'), name,
      el('span', { className: 'quiet', id: 'token-name-hint' }, 'Whose it is, or what for: it names who did what, and has its own last visits.')),
    el('fieldset', {}, el('legend', {}, 'What it may do'), Object.entries(scopes).map(pick)),
    wrong, el('div', { className: 'line' }, make));
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (make.ariaBusy === 'true') return;
    make.ariaBusy = 'true';
    wrong.textContent = '';
    try {
      shown(await api.makeToken(name.value.trim(), form.elements.scope.value), read);
    } catch (problem) {
      wrong.textContent = capital(problem.message);
      name.focus();
    } finally {
      make.ariaBusy = null;
    }
  };
  return form;
}

// shown shows a new token, the only time that it is known.
function shown({ name, token }, read) {
  const value = el('input', { id: 'new-token', value: token, readOnly: true, ariaLabel: 'The new token', onfocus: () => value.select() });
  const copy = button('Copy', async () => {
    try {
      await navigator.clipboard.writeText(token);
      copy.lastChild.textContent = 'Copied';
    } catch { // Browsers allow it only under https and on this machine.
      value.select();
      copy.lastChild.textContent = 'Selected: press Ctrl+C';
    }
  }, { kind: 'primary', id: 'copy' });
  const box = dialog(`The token ${name}`, el('p', {}, 'Copy it now: it is not shown again, and gistdeal keeps only what recognises it.'), el('div', { className: 'line' }, value, copy));
  box.addEventListener('close', () => attempt(read));
}
