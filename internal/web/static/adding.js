// Adds users in bulk: pasted logins, links or a CSV, with a result for each.

import * as api from './api.js';
import { el, icon, spoken } from './dom.js';
import { toast } from './parts.js';
import { configuredBackfill, named } from './quick.js';
import { capital, count, counted } from './words.js';
import { words } from './paste.js';

const part = 100; // logins per request, so that progress is visible

const results = {
  added: { word: 'Added', mark: 'created', tone: 'good' },
  tracked: { word: 'Already tracked', mark: 'created', tone: 'none' },
  waiting: { word: 'Waiting for GitHub', mark: 'queued', tone: 'warn' },
  invalid: { word: 'Not a valid login', mark: 'failed', tone: 'bad' },
  not_found: { word: 'Not on GitHub', mark: 'failed', tone: 'bad' },
  refused: { word: 'Not added', mark: 'failed', tone: 'bad' },
};

export function adding(page) {
  page.head('Add users');
  const text = el('textarea', { id: 'logins', rows: 8, required: true, spellcheck: false, autocomplete: 'off', placeholder: 'octocat\n@defunkt\nhttps://github.com/torvalds', attrs: { 'aria-describedby': 'logins-hint logins-known' } });
  const known = el('p', { id: 'logins-known', className: 'strong', role: 'status' });
  const file = el('input', { id: 'file', type: 'file', accept: '.txt,.csv,text/plain,text/csv' });
  const send = el('button', { className: 'primary', id: 'add' }, 'Add users');
  const output = el('div', { id: 'added' });
  const recognize = () => {
    const n = words(text.value).length;
    known.textContent = text.value.trim() ? `${counted(n, 'login')} detected` : '';
    send.lastChild.textContent = n > 1 ? `Add ${count(n)} users` : 'Add users';
  };
  text.oninput = recognize;
  file.onchange = async () => {
    if (file.files.length) text.value = [text.value, await file.files[0].text()].filter(Boolean).join('\n');
    file.value = '';
    recognize();
  };
  const form = el('form', { className: 'card add' },
    el('p', { className: 'field' }, el('label', { htmlFor: 'logins' }, 'GitHub logins'), text,
      el('span', { id: 'logins-hint', className: 'quiet' }, 'Logins, @logins, links to profiles or gists, or a CSV file. If a CSV has a column “login” or “github”, only that column is used. Text after # is ignored.')),
    known,
    el('p', { className: 'field' }, el('label', { htmlFor: 'file' }, 'Or upload a file'), file),
    backfills(),
    el('div', { className: 'line' }, send, el('a', { href: '#/users', className: 'button' }, 'Back to users')));
  form.onsubmit = (event) => {
    event.preventDefault();
    if (send.ariaBusy === 'true') return;
    send.ariaBusy = 'true';
    const { backfill, since } = form.elements;
    add(page, words(text.value), backfill.value === 'since' ? since.value : backfill.value, output).finally(() => (send.ariaBusy = null));
  };
  page.show(form, output);
  if (!page.may) page.fail(new api.Problem(403, 'Your token is read-only', ''));
}

function backfills() {
  const since = el('input', { type: 'date', name: 'since', ariaLabel: 'Since', hidden: true });
  const option = (value, word, means) => el('label', { className: 'option' }, el('input', { type: 'radio', name: 'backfill', value, required: true }), el('span', {}, el('span', { className: 'strong' }, word), el('span', { className: 'quiet block' }, means)));
  const set = el('fieldset', {}, el('legend', {}, 'Which gists get a deal?'),
    option('none', 'New gists only', 'Existing gists are listed without a deal.'),
    option('all', 'All gists', 'A user with 1,000 gists gets 1,000 deals.'),
    option('since', 'Gists created since a date', 'Older gists are listed without a deal.'), since);
  set.onchange = () => {
    since.required = set.querySelector('input:checked').value === 'since';
    since.hidden = !since.required;
  };
  // Until the setting is known, a person has to choose.
  configuredBackfill().then((value) => {
    if (!value || set.querySelector('input:checked')) return;
    const radio = set.querySelector(`input[value="${value}"]`) ?? set.querySelector('input[value="since"]');
    radio.checked = true;
    if (radio.value === 'since') since.value = value;
    set.onchange();
  });
  return set;
}

// add sends the logins in parts and shows each result as it arrives.
async function add(page, logins, backfill, output) {
  const bar = el('progress', { max: logins.length, value: 0, ariaLabel: 'Users added' });
  const sum = el('p', { className: 'strong', role: 'status' });
  const lines = el('tbody');
  const head = el('thead', {}, el('tr', {}, ['Input', 'Result', 'Reason'].map((word) => el('th', { scope: 'col' }, word))));
  output.replaceChildren(el('section', { className: 'card' }, el('h2', {}, 'Results'), bar, sum, el('table', {}, head, lines)));
  output.scrollIntoView({ block: 'nearest' });
  const counts = {};
  for (let i = 0; i < logins.length; i += part) {
    sum.textContent = `${count(i)} of ${count(logins.length)} …`;
    try {
      const { results: some } = await api.add(logins.slice(i, i + part), backfill, page.signal);
      for (const { result } of some) counts[result] = (counts[result] ?? 0) + 1;
      lines.append(...some.map(line));
    } catch (problem) {
      if (page.signal.aborted) return;
      sum.textContent = `Stopped after ${count(i)} of ${count(logins.length)}: ${problem.message}`;
      toast(problem.title ?? 'Something went wrong on this page', 'bad');
      return;
    }
    bar.value = Math.min(logins.length, i + part);
  }
  bar.hidden = true;
  sum.textContent = logins.length
    ? Object.entries(counts).map(([result, n]) => `${count(n)} ${(results[result]?.word ?? result).toLowerCase()}`).join(' · ')
    : 'No logins found in this text.';
}

function line({ input, result, reason = '' }) {
  const { word = result, mark = 'skipped', tone = 'none' } = results[result] ?? {};
  const there = ['added', 'tracked'].includes(result);
  return el('tr', { data: { input, result } },
    el('th', { scope: 'row' }, there ? el('a', { href: `#/users/${encodeURIComponent(named(input))}` }, input) : input),
    el('td', {}, el('span', { className: 'badge', data: { tone } }, icon(mark), word)),
    el('td', { className: 'quiet' }, reason && result !== 'tracked' ? capital(reason) : spoken('none')));
}
