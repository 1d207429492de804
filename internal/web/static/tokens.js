// The API tokens: list, create, rotate, revoke.

import * as api from './api.js';
import { button, el } from './dom.js';
import { attempt, badge, confirm, copying, dialog, empty, when } from './parts.js';
import { capital } from './words.js';

export const scopes = {
  feed: { word: 'Feed', mark: 'new', tone: 'none', means: 'only the Atom feeds, by URLs for feed readers' },
  read: { word: 'Read', mark: 'queued', tone: 'good', means: 'view everything' },
  write: { word: 'Write', mark: 'sending', tone: 'info', means: 'also add and change users, retry and skip deals' },
  admin: { word: 'Admin', mark: 'users', tone: 'warn', means: 'also pause deal creation, change settings and create tokens' },
};

// tokens lists the tokens, with the form for a new one. me is the name of the caller's.
export function tokens(all, me, read) {
  const line = (token) => {
    const { name, scope, created_at: created, last_used_at: lastUsed, last_used_from: from } = token;
    const { word, mark, tone } = scopes[scope];
    return el('tr', { data: { token: name } },
      el('th', { scope: 'row' }, name, name === me && el('span', { className: 'quiet' }, ' (yours)'),
        el('p', { className: 'quiet' }, 'created ', when(created), ', last used ', when(lastUsed), from && ` from ${from}`),
        limits(token).map((limit) => el('p', { className: 'quiet' }, limit))),
      el('td', {}, badge(tone, mark, word)),
      el('td', { className: 'act' }, el('div', { className: 'line end' },
        button('Rotate', () => rotate(name, name === me, read), { ariaLabel: `Rotate ${name}`, data: { act: 'rotate' } }),
        button('Revoke', () => revoke(name, read), { kind: 'danger', ariaLabel: `Revoke ${name}`, data: { act: 'revoke' } }))));
  };
  return [
    all.length
      ? el('table', { className: 'tokens small' }, el('thead', {}, el('tr', {}, ['Name', 'Scope', 'Action'].map((word) => el('th', { scope: 'col' }, word)))), el('tbody', {}, all.map(line)))
      : empty('users', 'No token yet', 'Create one to use gistdeal from another machine or from a program. From then on everyone needs a token; you stay signed in with the first one.'),
    creation(all.length ? Object.keys(scopes) : ['admin'], read),
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

const overlaps = { '0s': 'at once', '1h': 'in an hour', '24h': 'in a day', '7d': 'in a week', '30d': 'in 30 days' };

// rotate gives a token a new value. A browser that is signed in with the old one of its own
// token continues with the new one.
async function rotate(name, own, read) {
  const end = el('select', { id: 'overlap' }, Object.entries(overlaps).map(([value, word]) => el('option', { value, selected: value === '24h' }, `Ends ${word}`)));
  const yes = await confirm(`Rotate ${name}?`, 'The token gets a new value, which is valid at once. Give it to each program and person before the old value ends.', 'Rotate', {
    more: el('p', { className: 'field' }, el('label', { htmlFor: 'overlap' }, 'Old value'), end),
  });
  if (yes === null) return;
  const rotated = await attempt(() => api.rotateToken(name, end.value));
  if (!rotated) return;
  if (own) await attempt(() => api.signIn(rotated.token));
  reveal(rotated, read, rotated.old_valid_until && ['The old value ends ', when(rotated.old_valid_until), '.']);
}

// lifetimes are the days after which a new token ends.
const lifetimes = { '': 'Never', 30: 'In 30 days', 90: 'In 90 days', 365: 'In a year' };

// creation is the form for a new token. The first token must be an admin's: without
// one nobody could create others.
function creation(offered, read) {
  const first = offered.length === 1;
  const name = el('input', { id: 'token-name', required: true, maxLength: 64, autocomplete: 'off', attrs: { 'aria-describedby': 'token-name-hint' } });
  const pick = ([scope, { word, means }]) => el('label', { className: 'option' }, el('input', { type: 'radio', name: 'scope', value: scope, checked: scope === (first ? offered[0] : 'read') }), el('span', {}, el('span', { className: 'strong' }, word), ' ', el('span', { className: 'quiet' }, means)));
  const expires = el('select', { id: 'token-expires' }, Object.entries(lifetimes).sort(([a], [b]) => a - b).map(([days, word]) => el('option', { value: days }, word)));
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const create = el('button', { className: 'primary', id: 'create-token' }, 'Create token');
  const form = el('form', { className: 'options' },
    el('p', { className: 'field' }, el('label', { htmlFor: 'token-name' }, 'New token name'), name,
      el('span', { className: 'quiet', id: 'token-name-hint' }, 'A person or a program. The name appears in the log, and each token has its own list of new gists.')),
    el('fieldset', {}, el('legend', {}, 'Scope'), Object.entries(scopes).filter(([scope]) => offered.includes(scope)).map(pick)),
    !first && el('p', { className: 'field' }, el('label', { htmlFor: 'token-expires' }, 'Expires'), expires),
    wrong, el('div', { className: 'line' }, create));
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (create.ariaBusy === 'true') return;
    create.ariaBusy = 'true';
    wrong.textContent = '';
    try {
      const created = await api.createToken(name.value.trim(), form.elements.scope.value, first ? '' : expires.value);
      if (first) await api.signIn(created.token);
      reveal(created, first ? () => location.reload() : read);
    } catch (problem) {
      wrong.textContent = capital(problem.message);
      name.focus();
    } finally {
      create.ariaBusy = null;
    }
  };
  return form;
}

// reveal shows the value of a token, which is not available again later.
function reveal({ name, token, feeds }, read, more = '') {
  const value = el('input', { id: 'new-token', value: token, readOnly: true, ariaLabel: 'New token', onfocus: () => value.select() });
  const whole = feeds?.map((url) => new URL(url, location.origin).href);
  const box = whole
    ? dialog(`Feeds for ${name}`, el('p', {}, 'Copy the URLs now. You won’t see them again. Each opens its feed for everybody who has it, until you revoke the token.'),
      el('div', { className: 'line', id: 'feeds' }, whole.map((url) => copying(`Copy feed URL of ${url.includes('/gists.atom') ? 'new gists' : 'created deals'}`, url))), more && el('p', {}, more))
    : dialog(`Token ${name}`, el('p', {}, 'Copy the token now. You won’t see it again: we store only a hash.'),
      el('div', { className: 'line' }, value, copying('Copy', token, { kind: 'primary', id: 'copy' })), more && el('p', {}, more));
  box.addEventListener('close', () => attempt(read));
}
