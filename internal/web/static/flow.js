// From gist to deal: where all gists are now, and how long deals take after the publication
// of their gists. Each drawing has its table.

import { column, height, key, slot } from './chart.js';
import { el, svg } from './dom.js';
import { count, dayOf, dealStates, percent, span } from './words.js';

// funnel shows the part of all gists in each state.
export function funnel(deals) {
  const all = Object.values(deals).reduce((sum, n) => sum + n, 0);
  const line = (word, n, state) => {
    const bar = svg('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none' }, svg('rect', { width: all ? (n / all) * 100 : 0, height: 10 }));
    return el('tr', { data: { state } }, el('th', { scope: 'row' }, state ? el('a', { href: `#/deals?state=${state}` }, word) : word), el('td', { className: 'amount' }, count(n), all > 0 && state && el('span', { className: 'quiet' }, ` ${percent(n / all)}`)), el('td', { className: 'bar', ariaHidden: 'true' }, bar));
  };
  return el('table', { className: 'funnel' }, el('caption', { className: 'spoken' }, 'Gists by the state of their deal'),
    el('tbody', {}, line('Gists noticed', all, ''), Object.entries(dealStates).map(([state, { word }]) => line(word, deals[state] ?? 0, state))));
}

// delays shows how long deals take, for the days that had some; '' without any.
export function delays({ bounds_seconds: bounds, days }) {
  const known = days.filter((day) => day.deals > 0);
  if (!known.length) return '';
  const last = known.at(-1);
  const text = `On ${dayOf(last.date)} half ${within(last.p50_seconds)}, 95 % ${within(last.p95_seconds)}.`;
  return el('figure', { className: 'chart delays' },
    el('figcaption', {}, el('span', {}, el('span', { className: 'strong' }, 'From publication to deal. '), text), el('span', { className: 'legend' }, key('deals', 'Half'), key('late', '95 %'))),
    el('div', { className: 'plot' },
      el('div', { className: 'axis', ariaHidden: 'true' }, [bounds.at(-1), bounds[Math.floor(bounds.length / 2)], 0].map((seconds) => el('span', {}, seconds ? span(seconds) : '0'))),
      drawing(bounds, days, text)),
    el('details', {}, el('summary', {}, 'Show as table'),
      el('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'From publication to deal, by day' },
        el('table', {}, el('thead', {}, el('tr', {}, ['Day (UTC)', 'Deals', 'Half', '95 %'].map((word) => el('th', { scope: 'col' }, word)))),
          el('tbody', {}, known.toReversed().map((day) => el('tr', {}, el('th', { scope: 'row' }, dayOf(day.date)), el('td', {}, count(day.deals)), el('td', {}, within(day.p50_seconds)), el('td', {}, within(day.p95_seconds)))))))));
}

const within = (seconds) => (seconds ? `within ${span(seconds)}` : 'later');

// drawing has a bar for each day. Its scale has a step for each bound, from seconds to days.
function drawing(bounds, days, text) {
  const part = (seconds) => (seconds ? (bounds.indexOf(seconds) + 1) / bounds.length : 1);
  return svg('svg', { viewBox: `0 0 ${days.length * slot} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': text },
    [0, 0.5, 1].map((at) => svg('path', { class: 'grid', d: `M0 ${height * at}H${days.length * slot}` })),
    days.map(({ date, deals, p50_seconds: half, p95_seconds: most }, i) => deals > 0 && svg('g', {},
      svg('title', {}, `${dayOf(date)}: half ${within(half)}, 95 % ${within(most)}`),
      svg('rect', { class: 'slot', x: i * slot, y: 0, width: slot, height }),
      column('late', i * slot + 3.2, part(most)),
      column('deals', i * slot + 3.2, part(half)))));
}
