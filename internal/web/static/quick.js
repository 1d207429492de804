// The form that tracks one user and shows its gists.

import * as api from './api.js';
import { backfillList } from './backfill.js';
import { askForUsers } from './cost.js';
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
  const choice = backfillList((short) => {
    meaning = short;
    busy(go.ariaBusy === 'true');
  });
  const form = el('form', { className: 'card quick' },
    el('label', { htmlFor: 'login' }, 'GitHub login'),
    el('div', { className: 'line' }, login, choice.parts, go, bulk && el('a', { href: '#/add', className: 'button' }, 'Add in bulk')),
    wrong,
    hint);
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (go.ariaBusy === 'true') return;
    busy(true);
    wrong.textContent = '';
    login.ariaInvalid = 'false';
    const reason = await track(login.value.trim(), choice.value());
    busy(false);
    if (!reason) return;
    wrong.textContent = capital(reason);
    login.ariaInvalid = 'true';
    login.focus();
  };
  return form;
}

// track tracks a user and shows it, or returns the reason if that is not possible. If that
// creates many deals, it asks first.
export async function track(text, backfill = '') {
  try {
    if (!(await askForUsers('Track', [text], backfill))) return '';
    const { results: [{ result, reason }] } = await api.add([text], backfill);
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
