// From gist to deal: where all gists are now, and how long deals take after the publication
// of their gists. Both are tables.

import { el } from './dom.js';
import { count, dayOf, dealStates, percent, span } from './words.js';

// funnel shows the part of all gists in each state.
export function funnel(deals) {
  const all = Object.values(deals).reduce((sum, n) => sum + n, 0);
  const line = (word, n, state) => {
    const bar = el('i');
    bar.style.width = `${all ? (n / all) * 100 : 0}%`;
    return el('tr', { data: { state } }, el('th', { scope: 'row' }, state ? el('a', { href: `#/deals?state=${state}` }, word) : word), el('td', { className: 'amount' }, count(n), all > 0 && state && el('span', { className: 'quiet' }, ` ${percent(n / all)}`)), el('td', { className: 'bar', ariaHidden: 'true' }, bar));
  };
  return el('table', { className: 'funnel' }, el('caption', { className: 'spoken' }, 'Gists by the state of their deal'),
    el('tbody', {}, line('Gists noticed', all, ''), Object.entries(dealStates).map(([state, { word }]) => line(word, deals[state] ?? 0, state))));
}

// delays shows how long deals take, for the days that had some; '' without any.
export function delays({ days }) {
  const known = days.filter((day) => day.deals > 0);
  if (!known.length) return '';
  const last = known.at(-1);
  const within = (seconds) => (seconds ? `within ${span(seconds)}` : 'later');
  return el('div', { className: 'delays' },
    el('p', {}, el('span', { className: 'strong' }, 'From publication to deal: '), `on ${dayOf(last.date)} half ${within(last.p50_seconds)}, 95 % ${within(last.p95_seconds)}.`),
    el('details', {}, el('summary', {}, 'Show by day'),
      el('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'From publication to deal, by day' },
        el('table', {}, el('thead', {}, el('tr', {}, ['Day (UTC)', 'Deals', 'Half', '95 %'].map((word) => el('th', { scope: 'col' }, word)))),
          el('tbody', {}, known.toReversed().map((day) => el('tr', {}, el('th', { scope: 'row' }, dayOf(day.date)), el('td', {}, count(day.deals)), el('td', {}, within(day.p50_seconds)), el('td', {}, within(day.p95_seconds)))))))));
}
