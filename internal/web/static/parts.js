// Parts that several views share.

import { $, button, el, icon, present, spoken } from './dom.js';
import { ago, capital, count, dealStates, exactly, localTimes, userStates } from './words.js';

export const card = (title, ...children) => el('section', { className: 'card' }, el('h2', {}, title), ...present(children));

// back leads back to the settings, from the views that belong to them.
export const back = () => el('a', { href: '#/settings', className: 'button' }, 'Back to settings');

export const badge = (tone, mark, word, title = '') => el('span', { className: 'badge', data: { tone }, title }, icon(mark), word);

export function dealBadge(state) {
  const { tone = 'none', word = state, means = '' } = dealStates[state] ?? {};
  return badge(tone, state, word, means);
}

export function userBadge(state) {
  const { tone = 'none', word = state, mark = 'skipped' } = userStates[state] ?? {};
  return badge(tone, mark, word);
}

// when shows a relative time, with the exact time as its title.
export function when(time, none = 'never') {
  if (!time) return el('span', { className: 'quiet' }, none);
  return el('time', { dateTime: time, title: exactly(time), data: { ago: time } }, ago(time));
}

// due is when for a time that something is planned for: once it has passed, it is due now.
export function due(time, none) {
  const shown = when(time, none);
  if (!time) return shown;
  shown.dataset.due = time;
  delete shown.dataset.ago;
  shown.textContent = dueWord(time);
  return shown;
}

const dueWord = (time) => (new Date(time) > Date.now() ? ago(time) : 'due now');

// age updates all relative times. It leaves unchanged ones alone, because there may be thousands.
export function age() {
  const update = (time, text) => {
    if (time.textContent !== text) time.textContent = text;
  };
  for (const time of document.querySelectorAll('time[data-ago]')) update(time, ago(time.dataset.ago));
  for (const time of document.querySelectorAll('time[data-due]')) update(time, dueWord(time.dataset.due));
}

export const loading = (rows = 4) =>
  el('div', { className: 'loading', role: 'status' }, spoken('Loading'), Array.from({ length: rows }, () => el('i')));

// empty explains an empty view and offers actions.
export const empty = (mark, title, text, ...actions) =>
  el('div', { className: 'empty' }, icon(mark), el('p', { className: 'strong' }, title), el('p', { className: 'quiet' }, text), actions.length > 0 && el('div', { className: 'line' }, actions));

const advice = {
  0: 'Retrying automatically.',
  403: 'Ask your gistdeal admin for a token with this permission.',
  404: 'It may have been removed.',
  503: 'gistdeal is busy. Retrying automatically.',
};

// trouble shows an error and how to solve it.
export function trouble(problem, again) {
  const { status, title = 'Something went wrong on this page', message, requestID } = problem;
  return el('div', { className: 'empty', role: 'alert', data: { tone: 'bad', status: String(status ?? '') } },
    icon('failed'),
    el('p', { className: 'strong' }, title),
    message !== title && el('p', {}, capital(localTimes(message))),
    message !== title && advice[status] && el('p', { className: 'quiet' }, advice[status]),
    requestID && el('p', { className: 'quiet' }, `Request ${requestID}`),
    again && el('div', { className: 'line' }, button('Try again', again, { mark: 'again' })));
}

// note is a highlighted message.
export const note = (tone, mark, ...children) => el('div', { className: 'note', data: { tone } }, icon(mark), el('div', {}, ...present(children)));

// toast shows a message for a few seconds.
export function toast(text, tone = 'good') {
  const message = el('p', { className: 'toast', data: { tone } }, icon(tone === 'bad' ? 'failed' : 'created'), el('span', {}, text));
  $('toasts').append(message);
  setTimeout(() => message.remove(), tone === 'bad' ? 12_000 : 6_000);
}

// attempt runs an action and reports its outcome in a toast. It returns the result,
// null after an error.
export async function attempt(run, done = '') {
  try {
    const result = await run();
    const text = typeof done === 'function' ? done(result) : done;
    if (text) toast(text);
    return result ?? true;
  } catch (problem) {
    if (problem.name === 'AbortError') return null; // Another view is shown now.
    toast(`${problem.title ?? 'Something went wrong on this page'}: ${problem.message}`, 'bad');
    return null;
  }
}

// dialog opens and returns a dialog. Closing it removes it.
export function dialog(title, ...children) {
  const heading = el('h2', { id: 'dialog-title' }, title);
  const close = button('Close', () => box.close(), { kind: 'plain', mark: 'close' });
  const box = el('dialog', { attrs: { 'aria-labelledby': 'dialog-title' } }, el('div', { className: 'dialog-head' }, heading, close), ...present(children));
  box.onclose = () => box.remove();
  box.onclick = ({ target }) => { // No return value: false would cancel the click.
    if (target === box) box.close();
  };
  document.body.append(box);
  box.showModal();
  return box;
}

// confirm asks for a confirmation, and with label also for a text. It returns the
// text, '' without one, or null if the user cancels.
export function confirm(title, text, verb, { label = '', required = false, danger = false, more = '' } = {}) {
  return new Promise((resolve) => {
    const input = label && el('input', { id: 'dialog-text', maxLength: 500, required, autocomplete: 'off' });
    const form = el('form', { method: 'dialog' },
      text && el('p', {}, text),
      more,
      label && el('p', { className: 'field' }, el('label', { htmlFor: 'dialog-text' }, label), input),
      el('div', { className: 'line end' },
        button('Cancel', () => box.close()),
        el('button', { className: danger ? 'danger' : 'primary', value: 'yes' }, verb)));
    const box = dialog(title, form);
    box.addEventListener('close', () => resolve(box.returnValue === 'yes' ? (input ? input.value.trim() : '') : null));
  });
}

// copying is a button that copies a text, or the text that a function returns.
export function copying(word, text, props = {}) {
  const made = button(word, async () => {
    const whole = typeof text === 'string' ? text : await attempt(text);
    if (typeof whole !== 'string') return;
    try {
      await navigator.clipboard.writeText(whole);
      toast('Copied');
    } catch { // Browsers allow this only over HTTPS and on localhost.
      const field = el('textarea', { value: whole, readOnly: true, rows: Math.min(6, whole.split('\n').length), ariaLabel: word });
      made.replaceWith(field);
      field.select();
    }
  }, { mark: 'copy', kind: 'plain', ...props });
  return made;
}

// chips is a row of links that filter a list: [{word, number, mark, href, on}].
export const chips = (label, all) => el('nav', { className: 'chips', ariaLabel: label }, all.map(({ word, number, mark, href, on, data }) =>
  el('a', { href, ariaCurrent: on ? 'true' : null, data }, mark && icon(mark), word, number !== undefined && el('span', { className: 'count' }, count(number)))));

// dealChips filter a list by the state of deals.
export function dealChips(deals, only, href) {
  const all = Object.values(deals).reduce((sum, n) => sum + n, 0);
  const states = Object.keys(dealStates).filter((state) => deals[state] || state === only);
  return chips('Filter by deal state', [
    { word: 'All deals', number: all, href: href(''), on: !only },
    ...states.map((state) => ({
      word: capital(dealStates[state].few), number: deals[state] ?? 0, mark: state, href: href(state), on: state === only, data: { only: state },
    })),
  ]);
}

// isLow says that little of a quota is left beyond the reserved part.
export const isLow = ({ remaining, limit, reserved = 0 }) => limit > 0 && (remaining <= reserved || remaining < limit / 10);

// meter shows a quota as a bar: the remaining part, and the reserved part of it.
export function meter(label, text, left, limit, reserved = 0) {
  const part = limit ? Math.max(0, Math.min(1, left / limit)) : 0;
  const low = !limit || isLow({ remaining: left, limit, reserved });
  const fill = el('i', { className: 'fill' });
  fill.style.width = `${part * 100}%`;
  const mark = reserved > 0 && el('i', { className: 'reserved' });
  if (mark) mark.style.width = `${Math.min(1, reserved / limit) * 100}%`;
  return el('div', { className: 'meter', role: 'meter', ariaLabel: label, ariaValueMin: '0', ariaValueMax: String(limit), ariaValueNow: String(left), ariaValueText: text, data: { tone: low ? 'warn' : 'good' } }, fill, mark);
}

// more is the button that loads the next part of a list.
export const more = (next, load) => next && button('Show more', load, { kind: 'more' });
