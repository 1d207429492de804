// A user as a row of the list of users.

import { el, icon, spoken, svg } from './dom.js';
import { due, userBadge, when } from './parts.js';
import { count, counted, dealStates, localTimes, nameOf } from './words.js';

// row shows a user, with the box that selects it if there is one. Its activity may come later.
export function row(user, box) {
  const { login } = user;
  return el('tr', { role: 'row', data: { login } },
    box && el('td', { role: 'cell', className: 'box' }, box),
    el('th', { scope: 'row', role: 'rowheader' }, el('a', { href: `#/users/${encodeURIComponent(nameOf(user))}`, data: { login } }, login), el('span', { className: 'slim' }, userBadge(user.state)), user.problem && el('p', { className: 'reason', dir: 'auto' }, localTimes(user.problem))),
    el('td', { role: 'cell', className: 'wide' }, userBadge(user.state)),
    el('td', { role: 'cell', className: 'deals' }, dealsOf(user)),
    el('td', { role: 'cell', className: 'widest' }, user.activity && activityOf(user.activity)),
    el('td', { role: 'cell', className: 'wide' }, when(user.last_scan_at, 'not yet')),
    el('td', { role: 'cell', className: 'wide' }, user.state === 'active' ? due(user.next_scan_at, 'not scheduled') : el('span', { className: 'quiet' }, '–')));
}

const dealsOf = ({ deals }) => {
  const states = Object.keys(dealStates).filter((state) => deals[state]);
  if (!states.length) return el('span', { className: 'quiet' }, 'none');
  return states.map((state) => el('span', { className: 'mini', data: { tone: dealStates[state].tone }, title: dealStates[state].means }, icon(state), count(deals[state]), spoken(` ${dealStates[state].few} `)));
};

const activityOf = ({ newest_gist: newest, weeks }) => [sparkline(weeks), when(newest?.created_at, 'none')];

const bar = 4; // width of a week
const height = 16;

// sparkline is a drawing of the number of gists in each week.
function sparkline(weeks) {
  const most = Math.max(1, ...weeks);
  const sum = weeks.reduce((all, n) => all + n, 0);
  const bars = weeks.map((n, i) => `M${i * bar + bar / 2} ${height}V${height - Math.max(1, (n / most) * height)}`);
  return svg('svg', { viewBox: `0 0 ${weeks.length * bar} ${height}`, class: 'spark', role: 'img' },
    svg('title', {}, `${counted(sum, 'gist')} in the last ${weeks.length} weeks, ${counted(weeks.at(-1), 'gist')} in the last one`),
    svg('path', { d: bars.join('') }));
}
