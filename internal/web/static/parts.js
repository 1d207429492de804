// Parts that several views are made of.

import { $, button, el, icon, present, spoken } from './dom.js';
import { ago, capital, count, dealStates, exactly, localTimes, userStates } from './words.js';

export const card = (title, ...children) => el('section', { className: 'card' }, el('h2', {}, title), ...present(children));

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

// age updates all relative times.
export function age() {
  for (const time of document.querySelectorAll('time[data-ago]')) time.textContent = ago(time.dataset.ago);
}

export const loading = (rows = 4) =>
  el('div', { className: 'loading', role: 'status' }, spoken('Loading'), Array.from({ length: rows }, () => el('i')));

// empty explains an empty view, with the next step.
export const empty = (mark, title, text, ...actions) =>
  el('div', { className: 'empty' }, icon(mark), el('p', { className: 'strong' }, title), el('p', { className: 'quiet' }, text), actions.length > 0 && el('div', { className: 'line' }, actions));

const advice = {
  0: 'The page tries again by itself.',
  403: 'Ask your gistdeal admin for a token with this scope.',
  404: 'It may have been removed.',
  503: 'The server is busy or can’t reach its database. The page tries again by itself.',
};

// trouble shows a problem and the advice for it.
export function trouble(problem, again) {
  const { status, title = 'The page failed', message, requestID } = problem;
  return el('div', { className: 'empty', role: 'alert', data: { tone: 'bad', status: String(status ?? '') } },
    icon('failed'),
    el('p', { className: 'strong' }, title),
    message !== title && el('p', {}, capital(localTimes(message))),
    advice[status] && el('p', { className: 'quiet' }, advice[status]),
    requestID && el('p', { className: 'quiet' }, `Request ${requestID}`),
    again && el('div', { className: 'line' }, button('Try again', again, { mark: 'again' })));
}

// note is a line that stands out.
export const note = (tone, mark, ...children) => el('div', { className: 'note', data: { tone } }, icon(mark), el('div', {}, ...present(children)));

// toast shows the result of an action for a few seconds.
export function toast(text, tone = 'good') {
  const told = el('p', { className: 'toast', data: { tone } }, icon(tone === 'bad' ? 'failed' : 'created'), el('span', {}, text));
  $('toasts').append(told);
  setTimeout(() => told.remove(), tone === 'bad' ? 12_000 : 6_000);
}

// attempt runs an action and shows its result; it returns the result, null for a problem.
export async function attempt(run, done = '') {
  try {
    const result = await run();
    if (done) toast(typeof done === 'function' ? done(result) : done);
    return result ?? true;
  } catch (problem) {
    if (problem.name === 'AbortError') return null; // The view was left meanwhile.
    toast(`${problem.title ?? 'The page failed'}: ${problem.message}`, 'bad');
    return null;
  }
}

// dialog opens a dialog, and returns it; it is gone when it is closed.
export function dialog(title, ...children) {
  const heading = el('h2', { id: 'dialog-title' }, title);
  const close = button('Close', () => box.close(), { kind: 'plain', mark: 'close' });
  const box = el('dialog', { attrs: { 'aria-labelledby': 'dialog-title' } }, el('div', { className: 'dialog-head' }, heading, close), ...present(children));
  box.onclose = () => box.remove();
  box.onclick = ({ target }) => { // The return value of a handler could cancel the click.
    if (target === box) box.close();
  };
  document.body.append(box);
  box.showModal();
  return box;
}

// confirm asks for confirmation, and with ask for a text. It returns the text, ''
// for none, and null if cancelled.
export function confirm(title, text, verb, { ask = '', needed = false, danger = false } = {}) {
  return new Promise((resolve) => {
    const words = ask && el('input', { id: 'dialog-words', maxLength: 500, required: needed, autocomplete: 'off' });
    const form = el('form', { method: 'dialog' },
      el('p', {}, text),
      ask && el('p', { className: 'field' }, el('label', { htmlFor: 'dialog-words' }, ask), words),
      el('div', { className: 'line end' },
        button('Cancel', () => box.close()),
        el('button', { className: danger ? 'danger' : 'primary', value: 'yes' }, verb)));
    const box = dialog(title, form);
    box.addEventListener('close', () => resolve(box.returnValue === 'yes' ? (words ? words.value.trim() : '') : null));
  });
}

// chips is a row of links that narrow a list: [{word, number, mark, href, on}].
export const chips = (label, all) => el('nav', { className: 'chips', ariaLabel: label }, all.map(({ word, number, mark, href, on, data }) =>
  el('a', { href, ariaCurrent: on ? 'true' : null, data }, mark && icon(mark), word, number !== undefined && el('span', { className: 'count' }, count(number)))));

// dealChips narrow a list to a state of deals.
export function dealChips(deals, only, href) {
  const all = Object.values(deals).reduce((sum, n) => sum + n, 0);
  const states = Object.keys(dealStates).filter((state) => deals[state] || state === only);
  return chips('Show only gists with a deal that is', [
    { word: 'Any deal', number: all, href: href(''), on: !only },
    ...states.map((state) => ({
      word: capital(dealStates[state].few), number: deals[state] ?? 0, mark: state, href: href(state), on: state === only, data: { only: state },
    })),
  ]);
}

// meter shows a quota as a bar: the remaining part, and the reserved part of it.
export function meter(label, text, left, limit, reserved = 0) {
  const part = limit ? Math.max(0, Math.min(1, left / limit)) : 0;
  const low = left <= reserved || part < 0.1;
  const fill = el('i', { className: 'fill' });
  fill.style.width = `${part * 100}%`;
  const mark = reserved > 0 && el('i', { className: 'reserved' });
  if (mark) mark.style.width = `${Math.min(1, reserved / limit) * 100}%`;
  return el('div', { className: 'meter', role: 'meter', ariaLabel: label, ariaValueMin: '0', ariaValueMax: String(limit), ariaValueNow: String(left), ariaValueText: text, data: { tone: low ? 'warn' : 'good' } }, fill, mark);
}

// more is the button at the end of a list that goes on.
export const more = (next, load) => next && button('Show more', load, { kind: 'more' });
