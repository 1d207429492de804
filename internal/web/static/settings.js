// Accounts, settings and API tokens.

import * as api from './api.js';
import { account, unknown } from './account.js';
import { button, el, icon, renew } from './dom.js';
import { attempt, badge, card, confirm, dialog, empty, toast, when } from './parts.js';
import { capital } from './words.js';

const scopes = {
  read: { word: 'Read', mark: 'queued', tone: 'good', means: 'sees everything, changes nothing' },
  write: { word: 'Write', mark: 'sending', tone: 'info', means: 'also adds and changes users, retries and skips deals' },
  admin: { word: 'Admin', mark: 'users', tone: 'warn', means: 'also pauses deal creation, changes settings and creates tokens' },
};

const names = {
  pipeline: 'Pipeline of new deals', stage: 'Stage of new deals', owner: 'Owner of new deals', backfill: 'Existing gists of new users', approval_threshold: 'Approve batches larger than',
};

export function settings(page) {
  page.head('Settings');
  const parts = Object.fromEntries(['account', 'options', 'tokens'].map((name) => [name, el('section', { className: 'card', id: name })]));
  const read = async () => {
    const [known, remotes, all, tokens] = await Promise.all([
      api.account(page.signal), api.quotas(page.signal), api.settings(page.signal), page.admin ? api.tokens(page.signal) : null,
    ]);
    renew(parts.account, [known, remotes.quotas], () => [el('h2', {}, 'Accounts'), account(known, remotes.quotas)]);
    renew(parts.options, all, () => [el('h2', {}, 'Defaults'), all ? options(page, all.settings, read) : unknown()]);
    renew(parts.tokens, tokens, () => [el('h2', {}, 'API tokens'), tokens ? listed(tokens.tokens, read) : el('p', { className: 'quiet' }, 'You need an admin token to see and change them.')]);
    if (!page.shown) page.show(...Object.values(parts), el('p', { className: 'quiet' }, 'Pause and resume deal creation under ', el('a', { href: '#/quotas' }, 'Quotas'), '.'));
  };
  return page.keep(read);
}

function options({ admin }, all, read) {
  const fields = all.map((one) => option(one, admin));
  if (!admin || all.every((one) => one.locked_by)) return [fields, !admin && el('p', { className: 'quiet' }, 'You need an admin token to change them.')];
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const save = el('button', { className: 'primary', id: 'save' }, 'Save');
  const form = el('form', { className: 'options' }, fields, wrong, el('div', { className: 'line' }, save));
  form.onsubmit = async (event) => {
    event.preventDefault();
    wrong.textContent = '';
    save.ariaBusy = 'true';
    const changed = all.filter((one) => !one.locked_by && form.elements[one.name].value !== chosen(one));
    try {
      if (changed.length) await api.set(Object.fromEntries(changed.map(({ name }) => [name, form.elements[name].value])));
      toast(changed.length ? 'Saved. Applies to new deals and users.' : 'No changes');
      await read();
    } catch (problem) {
      wrong.textContent = capital(problem.message);
    } finally {
      save.ariaBusy = null;
    }
  };
  return form;
}

// chosen is the chosen value; empty for the configured one.
const chosen = ({ value, default: usual }) => (value === usual ? '' : value);

// usually is the meaning of an empty setting.
const usually = (name) => (name === 'owner' ? 'owner of the API key' : 'the account’s default');

// option is a setting: a list, a text, or the variable that locks it.
function option(one, admin) {
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
    ? el('select', props, el('option', { value: '' }, `Default (${usual || usually(name)})`), others.map((each) => el('option', { value: each, selected: each === now }, each)))
    : el('input', { ...props, value: now, placeholder: usual, autocomplete: 'off' });
  return el('p', { className: 'field', data: { setting: name } }, el('label', { htmlFor: `set-${name}` }, word), field, hint);
}

function listed(tokens, read) {
  const line = ({ name, scope, created_at: created, last_used_at: used }) => {
    const { word, mark, tone } = scopes[scope];
    return el('tr', { data: { token: name } },
      el('th', { scope: 'row' }, name, el('p', { className: 'quiet' }, 'created ', when(created), ', last used ', when(used))),
      el('td', {}, badge(tone, mark, word)),
      el('td', { className: 'act' }, button('Revoke', () => revoke(name, read), { kind: 'danger', ariaLabel: `Revoke ${name}`, data: { act: 'revoke' } })));
  };
  return [
    tokens.length
      ? el('table', { className: 'tokens small' }, el('thead', {}, el('tr', {}, ['Name', 'Scope', 'Action'].map((word) => el('th', { scope: 'col' }, word)))), el('tbody', {}, tokens.map(line)))
      : empty('users', 'No token yet', 'Without a token only requests from this machine have access, unless GISTDEAL_AUTH=none.'),
    making(read),
  ];
}

async function revoke(name, read) {
  const yes = await confirm(`Revoke ${name}?`, 'Programs that use it and browsers signed in with it are refused from now on. This cannot be undone.', 'Revoke', { danger: true });
  if (yes !== null && await attempt(() => api.revoke(name), ({ reason }) => `${name} is revoked${reason ? `: ${reason}` : ''}`)) await attempt(read);
}

function making(read) {
  const name = el('input', { id: 'token-name', required: true, maxLength: 64, autocomplete: 'off', attrs: { 'aria-describedby': 'token-name-hint' } });
  const pick = ([scope, { word, means }]) => el('label', { className: 'option' }, el('input', { type: 'radio', name: 'scope', value: scope, checked: scope === 'read' }), el('span', {}, el('span', { className: 'strong' }, word), ' ', el('span', { className: 'quiet' }, means)));
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const make = el('button', { className: 'primary', id: 'make-token' }, 'Create token');
  const form = el('form', { className: 'options' },
    el('p', { className: 'field' }, el('label', { htmlFor: 'token-name' }, 'Name of a new token'), name,
      el('span', { className: 'quiet', id: 'token-name-hint' }, 'Name the person or program. Each token has its own last visits.')),
    el('fieldset', {}, el('legend', {}, 'Scope'), Object.entries(scopes).map(pick)),
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

// shown shows a new token, once.
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
  const box = dialog(`The token ${name}`, el('p', {}, 'Copy it now: it is not shown again; we store only a hash.'), el('div', { className: 'line' }, value, copy));
  box.addEventListener('close', () => attempt(read));
}
