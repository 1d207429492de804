// The accounts, the settings and the API tokens.

import * as api from './api.js';
import { account, unknown } from './account.js';
import { button, el, icon, renew } from './dom.js';
import { attempt, badge, card, confirm, dialog, empty, toast, when } from './parts.js';
import { capital } from './words.js';

const scopes = {
  read: { word: 'Read', mark: 'queued', tone: 'good', means: 'view everything' },
  write: { word: 'Write', mark: 'sending', tone: 'info', means: 'also add and change users, retry and skip deals' },
  admin: { word: 'Admin', mark: 'users', tone: 'warn', means: 'also pause deal creation, change settings and create tokens' },
};

const readEvery = 5_000; // ms

const names = {
  pipeline: 'Pipeline of new deals', stage: 'Stage of new deals', owner: 'Owner of new deals', backfill: 'Existing gists of new users', approval_threshold: 'Approve batches larger than', daily_limit: 'Approve after this many deals of a user a day',
};

export function settings(page) {
  page.head('Settings');
  const parts = Object.fromEntries(['account', 'options', 'tokens'].map((name) => [name, el('section', { className: 'card', id: name })]));
  const read = async () => {
    const [known, { quotas }, all, tokens] = await Promise.all([
      api.account(page.signal), api.quotas(page.signal), api.settings(page.signal), page.admin ? api.tokens(page.signal) : null,
    ]);
    renew(parts.account, [known, quotas], () => [el('h2', {}, 'Accounts'), account(known, quotas)]);
    renew(parts.options, [all, known?.pipelines], () => [el('h2', {}, 'New deals and users'), all ? options(page, all.settings, known?.pipelines ?? [], read) : unknown()]);
    renew(parts.tokens, tokens, () => [el('h2', {}, 'API tokens'), tokens ? listed(tokens.tokens, read) : el('p', { className: 'quiet' }, 'Only admin tokens can manage tokens.')]);
    if (!page.shown) page.show(...Object.values(parts), el('p', { className: 'quiet' }, 'Pause and resume deal creation on the ', el('a', { href: '#/' }, 'overview'), '.',
      ' ', el('a', { href: '#/rules', id: 'to-rules' }, 'Rules'), ' decide which gists become deals.',
      page.admin && [' The ', el('a', { href: '#/audit', id: 'to-audit' }, 'audit log'), ' shows who changed what. ', el('a', { href: '#/webhooks', id: 'to-webhooks' }, 'Webhooks and notices'), ' tell programs and people of new gists, failures and more.']));
  };
  // The leader checks a changed target soon after it was saved.
  const each = setInterval(() => document.hidden || page.root.contains(document.activeElement) || read().catch(() => {}), readEvery);
  page.signal.addEventListener('abort', () => clearInterval(each));
  const first = page.keep(read);
  first.then(() => {
    const field = page.query.get('focus') && document.getElementById(`set-${page.query.get('focus')}`);
    if (field && !page.signal.aborted) field.focus();
  });
  return first;
}

// options shows the settings. The stages on offer are those of the chosen pipeline.
function options({ admin }, all, pipelines, read) {
  const fields = all.map((one) => setting(one, admin));
  if (!admin || all.every((one) => one.locked_by)) return [fields, !admin && el('p', { className: 'quiet' }, 'Only admin tokens can change settings.')];
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const save = el('button', { className: 'primary', id: 'save' }, 'Save');
  const form = el('form', { className: 'options' }, fields, wrong, el('div', { className: 'line' }, save));
  const { pipeline, stage } = form.elements;
  if (pipeline && stage?.options) {
    pipeline.onchange = () => {
      const chosenOne = pipeline.value || all.find(({ name }) => name === 'pipeline').default;
      const stages = (pipelines.find(({ name }) => name === chosenOne) ?? pipelines[0])?.stages;
      if (stages) stage.replaceChildren(stage.options[0], ...stages.map((each) => el('option', { value: each, selected: each === stage.value }, each)));
    };
  }
  form.onsubmit = async (event) => {
    event.preventDefault();
    wrong.textContent = '';
    save.ariaBusy = 'true';
    const changed = all.filter((one) => !one.locked_by && form.elements[one.name].value.trim() !== chosen(one));
    try {
      if (changed.length) await api.set(Object.fromEntries(changed.map((one) => [one.name, entered(one, form.elements[one.name].value.trim())])));
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

// chosen is the changed value as text, '' for the default; entered is the inverse.
const chosen = ({ value, default: usual }) => (value === usual ? '' : String(value));
const entered = ({ default: usual }, text) => (text === '' ? null : typeof usual === 'number' && /^\d+$/.test(text) ? Number(text) : text);

// unset describes an empty value.
const unset = (name) => ({ pipeline: 'account’s pipeline', stage: 'first stage', owner: 'owner of the API key' })[name] ?? 'none';

// setting shows a setting as a list, a text field, or a value that cannot be changed.
function setting(one, admin) {
  const { name, value, default: usual, locked_by: locked, options: known, doc } = one;
  const word = names[name] ?? name;
  const hint = el('span', { className: 'quiet', id: `${name}-hint` }, doc && capital(doc));
  if (locked || !admin) {
    return el('div', { className: 'field', data: { setting: name } }, el('p', { className: 'strong' }, word),
      el('p', { className: 'line' }, el('span', {}, value === '' ? capital(unset(name)) : String(value)), locked && el('span', { className: 'badge', data: { tone: 'none' } }, icon('locked'), `Locked by ${locked}`)), hint);
  }
  const props = { id: `set-${name}`, name, attrs: { 'aria-describedby': `${name}-hint` } };
  const now = chosen(one);
  const others = [...new Set([...(known ?? []), now])].filter((each) => each && each !== usual);
  const field = known && name !== 'backfill'
    ? el('select', props, el('option', { value: '' }, `Default (${usual || unset(name)})`), others.map((each) => el('option', { value: each, selected: each === now }, each)))
    : el('input', { ...props, value: now, placeholder: `Default (${usual})`, autocomplete: 'off' });
  return el('p', { className: 'field', data: { setting: name } }, el('label', { htmlFor: `set-${name}` }, word), field, hint);
}

function listed(tokens, read) {
  const line = (token) => {
    const { name, scope, created_at: created, last_used_at: lastUsed, last_used_from: from } = token;
    const { word, mark, tone } = scopes[scope];
    return el('tr', { data: { token: name } },
      el('th', { scope: 'row' }, name,
        el('p', { className: 'quiet' }, 'created ', when(created), ', last used ', when(lastUsed), from && ` from ${from}`),
        limits(token).map((limit) => el('p', { className: 'quiet' }, limit))),
      el('td', {}, badge(tone, mark, word)),
      el('td', { className: 'act' }, button('Revoke', () => revoke(name, read), { kind: 'danger', ariaLabel: `Revoke ${name}`, data: { act: 'revoke' } })));
  };
  return [
    tokens.length
      ? el('table', { className: 'tokens small' }, el('thead', {}, el('tr', {}, ['Name', 'Scope', 'Action'].map((word) => el('th', { scope: 'col' }, word)))), el('tbody', {}, tokens.map(line)))
      : empty('users', 'No token yet', 'Create one to use gistdeal from another machine or from a program. From then on everyone needs a token; you stay signed in with the first one.'),
    creation(tokens.length ? Object.keys(scopes) : ['admin'], read),
  ];
}

// limits describes the expiry, the rate and the old value of a token, if it has them.
function limits({ expires_at: expires, rate, old_valid_until: oldUntil, old_used_at: oldUsed }) {
  return [
    expires && [new Date(expires) > new Date() ? 'expires ' : 'expired ', when(expires)],
    rate && [`at most ${rate} requests a second`],
    oldUntil && ['old value ends ', when(oldUntil), oldUsed ? [', last used ', when(oldUsed)] : ', not used since the rotation'],
  ].filter(Boolean).map((parts) => el('span', {}, parts));
}

async function revoke(name, read) {
  const yes = await confirm(`Revoke ${name}?`, 'Programs and browsers that use this token lose access immediately. You can’t undo this.', 'Revoke', { danger: true });
  if (yes !== null && await attempt(() => api.revoke(name), ({ reason }) => `${name} revoked${reason ? `: ${reason}` : ''}`)) await attempt(read);
}

// creation is the form for a new token. The first token must be an admin's: without
// one nobody could create others.
function creation(offered, read) {
  const first = offered.length === 1;
  const name = el('input', { id: 'token-name', required: true, maxLength: 64, autocomplete: 'off', attrs: { 'aria-describedby': 'token-name-hint' } });
  const pick = ([scope, { word, means }]) => el('label', { className: 'option' }, el('input', { type: 'radio', name: 'scope', value: scope, checked: scope === offered[0] }), el('span', {}, el('span', { className: 'strong' }, word), ' ', el('span', { className: 'quiet' }, means)));
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const create = el('button', { className: 'primary', id: 'create-token' }, 'Create token');
  const form = el('form', { className: 'options' },
    el('p', { className: 'field' }, el('label', { htmlFor: 'token-name' }, 'New token name'), name,
      el('span', { className: 'quiet', id: 'token-name-hint' }, 'A person or a program. The name appears in the log, and each token has its own list of new gists.')),
    el('fieldset', {}, el('legend', {}, 'Scope'), Object.entries(scopes).filter(([scope]) => offered.includes(scope)).map(pick)),
    wrong, el('div', { className: 'line' }, create));
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (create.ariaBusy === 'true') return;
    create.ariaBusy = 'true';
    wrong.textContent = '';
    try {
      const created = await api.createToken(name.value.trim(), form.elements.scope.value);
      if (first) await api.signIn(created.token);
      shown(created, first ? () => location.reload() : read);
    } catch (problem) {
      wrong.textContent = capital(problem.message);
      name.focus();
    } finally {
      create.ariaBusy = null;
    }
  };
  return form;
}

// shown shows a new token. It is not available again later.
function shown({ name, token }, read) {
  const value = el('input', { id: 'new-token', value: token, readOnly: true, ariaLabel: 'New token', onfocus: () => value.select() });
  const copy = button('Copy', async () => {
    try {
      await navigator.clipboard.writeText(token);
      copy.lastChild.textContent = 'Copied';
    } catch { // Browsers allow this only over HTTPS and on localhost.
      value.select();
      copy.lastChild.textContent = 'Press Ctrl+C to copy';
    }
  }, { kind: 'primary', id: 'copy' });
  const box = dialog(`Token ${name}`, el('p', {}, 'Copy the token now. You won’t see it again: we store only a hash.'), el('div', { className: 'line' }, value, copy));
  box.addEventListener('close', () => attempt(read));
}
