// A chart of new gists and created deals per day, with a table. The gists of backfills, which
// existed before their user was tracked, are apart: in the tables and above the new ones.

import { el, svg } from './dom.js';
import { count, counted, dayOf } from './words.js';

export const height = 100; // of the drawing, which CSS stretches
export const slot = 10; // width of a day
const bar = 3.6;

export function chart(days) {
  const most = round(Math.max(1, ...days.map(({ gists, deals }) => Math.max(gists, deals))));
  const sum = (part) => days.reduce((all, one) => all + one[part], 0);
  const text = `Last ${days.length} days: ${counted(sum('gists') - sum('backfill'), 'new gist')}, ${sum('backfill') ? `${count(sum('backfill'))} from before tracking, ` : ''}${counted(sum('deals'), 'deal')} created.`;
  const drawing = svg('svg', { viewBox: `0 0 ${days.length * slot} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': text },
    [0, 0.5, 1].map((part) => svg('path', { class: 'grid', d: `M0 ${height * part}H${days.length * slot}` })),
    days.map((one, i) => svg('g', {},
      svg('title', {}, `${dayOf(one.date)}: ${counted(one.gists - one.backfill, 'new gist')}, ${count(one.backfill)} from before tracking, ${counted(one.deals, 'deal')} created`),
      svg('rect', { class: 'slot', x: i * slot, y: 0, width: slot, height }),
      column('backfill', i * slot + 1.1, one.gists / most),
      column('gists', i * slot + 1.1, (one.gists - one.backfill) / most),
      column('deals', i * slot + 1.5 + bar, one.deals / most))));
  return el('figure', { className: 'chart' },
    el('figcaption', {}, text, el('span', { className: 'legend' }, key('gists', 'New gists'), key('backfill', 'Before tracking'), key('deals', 'Deals created'))),
    el('div', { className: 'plot' },
      el('div', { className: 'axis', ariaHidden: 'true' }, el('span', {}, count(most)), most > 1 && el('span', {}, count(most / 2)), el('span', {}, '0')),
      drawing),
    el('div', { className: 'days', ariaHidden: 'true' }, [days[0], days[Math.floor(days.length / 2)], days.at(-1)].map(({ date }) => el('span', {}, dayOf(date)))),
    el('details', {}, el('summary', {}, 'Show as table'), table(days)));
}

// column is a bar of a day.
export function column(name, x, part) {
  // Any number above zero is visible.
  const high = part > 0 ? Math.max(2, part * height) : 0;
  return svg('rect', { class: name, x, y: height - high, width: bar, height: high });
}

// key explains a colour.
export const key = (name, word) => el('span', {}, svg('svg', { viewBox: '0 0 10 10', 'aria-hidden': 'true' }, svg('rect', { class: name, width: 10, height: 10, rx: 2 })), word);

function table(days) {
  const rows = days.toReversed().map(({ date, gists, backfill, deals }) =>
    el('tr', {}, el('th', { scope: 'row' }, dayOf(date)), el('td', {}, count(gists - backfill)), el('td', {}, count(backfill)), el('td', {}, count(deals))));
  return el('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'Gists and deals per day' },
    el('table', {}, el('thead', {}, el('tr', {}, ['Day (UTC)', 'New gists', 'Before tracking', 'Deals created'].map((word) => el('th', { scope: 'col' }, word)))), el('tbody', {}, rows)));
}

// round returns the next round number, as the top of the scale.
function round(n) {
  const size = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 4, 6, 8, 10].map((m) => m * size).find((m) => m >= n);
}
