// The form that tracks one user and shows its gists.

import * as api from './api.js';
import { el } from './dom.js';
import { capital } from './words.js';

export function quick(bulk = false) {
  const login = el('input', { id: 'login', required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: false, placeholder: 'octocat', attrs: { 'aria-describedby': 'login-wrong login-hint' } });
  const wrong = el('p', { id: 'login-wrong', className: 'wrong', role: 'alert' });
  const go = el('button', { id: 'go', className: 'primary' }, 'Track user');
  const hint = el('p', { id: 'login-hint', className: 'quiet', role: 'status' });
  const busy = (on) => {
    go.ariaBusy = on ? 'true' : null;
    hint.textContent = on ? 'Checking GitHub…' : meaning;
  };
  let meaning = 'Creates one deal per public gist.';
  busy(false);
  configuredBackfill().then((value) => {
    meaning = { '': meaning, all: 'Creates one deal per public gist, now and in future.', none: 'Creates one deal per new public gist.' }[value] ?? `Creates one deal per public gist created since ${value}.`;
    busy(go.ariaBusy === 'true');
  });
  const form = el('form', { className: 'card quick' },
    el('label', { htmlFor: 'login' }, 'GitHub login'),
    el('div', { className: 'line' }, login, go, bulk && el('a', { href: '#/add', className: 'button' }, 'Add in bulk')),
    wrong,
    hint);
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (go.ariaBusy === 'true') return;
    busy(true);
    wrong.textContent = '';
    login.ariaInvalid = 'false';
    const reason = await track(login.value.trim());
    busy(false);
    if (!reason) return;
    wrong.textContent = capital(reason);
    login.ariaInvalid = 'true';
    login.focus();
  };
  return form;
}

// configuredBackfill returns the setting that says which gists of new users get a deal, ''
// if it cannot be read.
export const configuredBackfill = () => api.settings()
  .then((answer) => answer?.settings.find(({ name }) => name === 'backfill')?.value ?? '')
  .catch(() => '');

// track tracks a user and shows it, or returns the reason if that is not possible.
export async function track(text) {
  try {
    const { results: [{ result, reason }] } = await api.add([text]);
    if (['invalid', 'not_found', 'refused'].includes(result)) return reason;
    if (result === 'waiting') return `waiting for GitHub: ${reason}`;
    location.hash = `#/users/${encodeURIComponent(named(text))}`;
    return '';
  } catch (problem) {
    return problem.message;
  }
}

// named returns the login in a login or an address.
export const named = (text) => text.replace(/^@/, '').replace(/^(https?:\/\/)?((www|gist)\.)?github\.com\//i, '').replace(/[/?#].*$/, '');
