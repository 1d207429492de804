// The accounts that gistdeal works for: accepted or not, and what to do about it.

import { el, icon, spoken } from './dom.js';
import { empty, when } from './parts.js';
import { budgetName, capital, count, localTimes, percent } from './words.js';

// account lists what a working gistdeal needs, as the process at work saw it last.
export function account(known, budgets) {
  if (!known) return unknown();
  const { checked_at: at, github, pipedrive } = known;
  if (!at) return empty('found', 'Not looked at yet', 'The process that works asks both accounts when it starts. If this stays, look at its log.');
  const { company, user, problem, pipeline, stage, owner, fields } = pipedrive;
  const refused = problem && !company;
  return el('div', { className: 'account' },
    el('ul', { className: 'checks' },
      check('GitHub', github.problem ? 'bad' : github.token ? 'good' : 'warn',
        github.problem ? 'Token is not accepted' : github.token ? `Token accepted${github.login ? `, of ${github.login}` : ''}` : 'No token',
        github.problem || (!github.token && 'GitHub then allows 60 requests an hour. Set GITHUB_TOKEN, and 5,000 are allowed.')),
      check('Pipedrive', refused ? 'bad' : problem ? 'warn' : 'good', refused ? 'Key is not accepted' : `Key accepted${user ? `, of ${user}` : ''}${company ? ` at ${company}` : ''}`, problem),
      check('Deals go to', problem ? 'warn' : 'good', `${pipeline || 'The account’s default pipeline'} → ${stage || 'its first stage'}${owner ? `, owned by ${owner}` : ''}`, problem && 'Only once Pipedrive’s problem is solved.'),
      check('Fields', fields.length ? 'good' : 'warn', fields.length ? fields.map(({ name }) => name).join(', ') : 'Not made yet', !fields.length && 'gistdeal makes the fields that tell deals apart before its first deal.'),
      budgets.filter(({ name }) => name === 'pipedrive-day').map(left)),
    el('p', { className: 'quiet' }, 'Seen ', when(at), '.'));
}

// unknown says that the server is older than the page.
export const unknown = () => empty('found', 'Not told here', 'This gistdeal is older than its page. Update it to see this.');

function left({ name, remaining, limit, kept }) {
  const low = remaining <= kept;
  return check('Left of the day', low ? 'warn' : 'good', `${count(remaining)} of ${count(limit)} ${budgetName(name).unit}${limit ? ` (${percent(remaining / limit)})` : ''}`,
    low && 'What is left is kept for people; deals wait until it is whole again.');
}

const tones = { good: ['made', 'Good'], warn: ['held', 'Look'], bad: ['failed', 'Wrong'] };

const check = (what, tone, word, advice) => el('li', { data: { tone, check: what } }, icon(tones[tone][0]),
  el('div', {}, el('p', {}, spoken(`${tones[tone][1]}: `), el('span', { className: 'quiet' }, what), el('span', { className: 'strong block' }, word)), advice && el('p', { className: 'reason', dir: 'auto' }, capital(localTimes(advice)))));
