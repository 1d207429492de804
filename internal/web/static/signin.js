// The sign-in form.

import * as api from './api.js';
import { el } from './dom.js';
import { capital } from './words.js';

export function signIn(done) {
  const token = el('input', { id: 'token', type: 'password', required: true, autocomplete: 'off', pattern: '[!-~]+', attrs: { 'aria-describedby': 'token-hint token-wrong' } });
  const wrong = el('p', { id: 'token-wrong', className: 'wrong', role: 'alert' });
  const form = el('form', { className: 'card narrow' },
    el('label', { htmlFor: 'token' }, 'API token'),
    el('div', { className: 'line' }, token, el('button', { className: 'primary' }, 'Sign in')),
    wrong,
    el('p', { id: 'token-hint', className: 'quiet' }, 'Ask your gistdeal admin for a token: it is made under Settings, or with “gistdeal tokens add”. You stay signed in on this browser for 30 days.'));
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await api.signIn(token.value.trim());
      done();
    } catch (problem) {
      wrong.textContent = capital(problem.status === 401 && problem.title !== 'Token expired' ? 'this token isn’t valid. Check that it is complete and hasn’t been revoked.' : problem.message);
      token.ariaInvalid = 'true';
      token.select();
    }
  };
  const beside = el('div', { className: 'narrow' });
  api.provider().then((name) => name && beside.replaceChildren(
    el('p', {}, el('a', { id: 'provider', className: 'button primary', href: api.providerAddress() }, `Sign in with ${name}`)),
    el('p', { className: 'quiet' }, 'Or with an API token:')));
  requestAnimationFrame(() => token.focus());
  return el('div', {}, beside, form);
}
