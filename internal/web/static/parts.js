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

// when shows how far away a time is; what it is exactly stands in its title.
export function when(time, none = 'never') {
  if (!time) return el('span', { className: 'quiet' }, none);
  return el('time', { dateTime: time, title: exactly(time), data: { ago: time } }, ago(time));
}

// age keeps all that when made true as time passes.
export function age() {
  for (const time of document.querySelectorAll('time[data-ago]')) time.textContent = ago(time.dataset.ago);
}

export const loading = (rows = 4) =>
  el('div', { className: 'loading', role: 'status' }, spoken('Loading'), Array.from({ length: rows }, () => el('i')));

// empty says why there is nothing, and what to do.
export const empty = (mark, title, text, ...actions) =>
  el('div', { className: 'empty' }, icon(mark), el('p', { className: 'strong' }, title), el('p', { className: 'quiet' }, text), actions.length > 0 && el('div', { className: 'line' }, actions));

const advice = {
  0: 'The page tries again by itself.',
  403: 'Ask whoever runs gistdeal for a token that may do this.',
  404: 'It may have been removed meanwhile.',
  503: 'It is busy or its database is away. The page tries again by itself.',
};

// trouble says what went wrong and what to do about it.
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

// toast tells in passing that something was done, or was not.
export function toast(text, tone = 'good') {
  const told = el('p', { className: 'toast', data: { tone } }, icon(tone === 'bad' ? 'failed' : 'made'), el('span', {}, text));
  $('toasts').append(told);
  setTimeout(() => told.remove(), tone === 'bad' ? 12_000 : 6_000);
}

// attempt does something and tells of it; it returns what came of it, null for a problem.
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
  box.onclick = ({ target }) => { // What it returns would forbid all else that a click does.
    if (target === box) box.close();
  };
  document.body.append(box);
  box.showModal();
  return box;
}

// confirm asks before something is done. With ask it wants some words, too. It
// returns them, '' for none, and null for a no.
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
  return chips('Show only gists whose deal is', [
    { word: 'Any deal', number: all, href: href(''), on: !only },
    ...states.map((state) => ({
      word: capital(dealStates[state].few), number: deals[state] ?? 0, mark: state, href: href(state), on: state === only, data: { only: state },
    })),
  ]);
}

// meter is a budget as a bar: what is left, and which part of it is for people.
export function meter(label, text, left, limit, kept = 0) {
  const part = limit ? Math.max(0, Math.min(1, left / limit)) : 0;
  const low = left <= kept || part < 0.1;
  const fill = el('i', { className: 'fill' });
  fill.style.width = `${part * 100}%`;
  const mark = kept > 0 && el('i', { className: 'kept' });
  if (mark) mark.style.width = `${Math.min(1, kept / limit) * 100}%`;
  return el('div', { className: 'meter', role: 'meter', ariaLabel: label, ariaValueMin: '0', ariaValueMax: String(limit), ariaValueNow: String(left), ariaValueText: text, data: { tone: low ? 'warn' : 'good' } }, fill, mark);
}

// more is the button at the end of a list that goes on.
export const more = (next, load) => next && button('Show more', load, { kind: 'more' });
