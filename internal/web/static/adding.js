// Adds users in bulk: pasted logins, links or a CSV, with a result for each.

import * as api from './api.js';
import { backfillChoice } from './backfill.js';
import { askForUsers } from './cost.js';
import { el } from './dom.js';
import { copyFailed, counts, follow, hasFailed, resultLine, resultsTable, running } from './operations.js';
import { attempt } from './parts.js';
import { count, counted } from './words.js';
import { named } from './paste.js';

export function adding(page) {
  page.head('Add users');
  const text = el('textarea', { id: 'logins', rows: 8, required: true, spellcheck: false, autocomplete: 'off', placeholder: 'octocat\n@defunkt\nhttps://github.com/torvalds', attrs: { 'aria-describedby': 'logins-hint logins-known' } });
  const known = el('p', { id: 'logins-known', className: 'strong', role: 'status' });
  const file = el('input', { id: 'file', type: 'file', accept: '.txt,.csv,text/plain,text/csv' });
  const send = el('button', { className: 'primary', id: 'add' }, 'Add users');
  const output = el('div', { id: 'added' });
  const recognize = () => {
    const n = named(text.value).logins.length;
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
      el('span', { id: 'logins-hint', className: 'quiet' }, 'Logins, @logins, links to profiles or gists, or a CSV file. If a CSV has a column “login” or “github”, only that column and the column “tags” are used. Text after # is ignored.')),
    known,
    el('p', { className: 'field' }, el('label', { htmlFor: 'file' }, 'Or upload a file'), file),
    backfillChoice(),
    el('div', { className: 'line' }, send, el('a', { href: '#/users', className: 'button' }, 'Back to users')));
  form.onsubmit = (event) => {
    event.preventDefault();
    if (send.ariaBusy === 'true') return;
    send.ariaBusy = 'true';
    const { backfill, since } = form.elements;
    add(page, named(text.value), backfill.value === 'since' ? since.value : backfill.value, output).finally(() => (send.ariaBusy = null));
  };
  page.show(running(page), form, output);
  if (!page.may) page.fail(new api.Problem(403, 'Your token is read-only', ''));
}

// add sends the logins. It shows the results of a few, and the operation that adds many.
async function add(page, { logins, tags }, backfill, output) {
  if (!logins.length) {
    output.replaceChildren(el('p', { className: 'strong', role: 'status' }, 'No logins found in this text.'));
    return;
  }
  output.replaceChildren(el('p', { className: 'strong', role: 'status' }, 'Estimating the cost…'));
  if (!(await askForUsers('Add', logins, backfill, means(backfill), tags))) {
    output.replaceChildren();
    return;
  }
  output.replaceChildren(el('p', { className: 'strong', role: 'status' }, `Adding ${counted(logins.length, 'user')}…`));
  const answer = await attempt(() => api.add(logins, backfill, page.signal, tags));
  if (answer?.id) {
    follow(answer);
    return;
  }
  if (!answer) {
    output.replaceChildren();
    return;
  }
  const { table, lines } = resultsTable();
  const failed = answer.results.filter(hasFailed);
  lines.append(...[...failed, ...answer.results.filter((one) => !hasFailed(one))].map(resultLine));
  const sums = {};
  for (const { result } of answer.results) sums[result] = (sums[result] ?? 0) + 1;
  output.replaceChildren(el('section', { className: 'card' }, el('h2', {}, 'Results'), el('p', { className: 'strong', role: 'status' }, counts(sums)),
    failed.length > 0 && copyFailed(failed.length, failed.map(({ input }) => input).join('\n')), table));
  output.scrollIntoView({ block: 'nearest' });
}

const means = (backfill) => ({ all: 'Each of their existing gists gets a deal.', none: 'Their existing gists get no deal.' }[backfill] ?? `Their gists created since ${backfill} get a deal.`);
