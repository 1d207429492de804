// The GitHub and Pipedrive accounts, with the problems of their credentials.

import { el, icon, spoken } from './dom.js';
import { empty, when } from './parts.js';
import { quotaName, capital, count, localTimes, percent } from './words.js';

// account lists the requirements of gistdeal, as the leader last checked them.
export function account(known, { quotas, pushes, github: waiting }) {
  if (!known) return unknown();
  const { checked_at: at, github, pipedrive } = known;
  if (!at) return empty('queued', 'Not checked yet', 'gistdeal checks both accounts when it starts. If this message stays, check the log.');
  const { company, user, problem, pipeline, stage, owner, fields, warnings } = pipedrive;
  const refused = problem && !company || pushes.new_key;
  const rejected = github.problem || (waiting.kind === 'unauthorized' && waiting.reason);
  return el('div', { className: 'account' },
    el('ul', { className: 'checks' },
      check('GitHub', rejected ? 'bad' : github.token ? 'good' : 'warn',
        rejected ? 'Token rejected' : github.token ? `Connected${github.login ? ` as ${github.login}` : ''}` : 'No token',
        rejected || (!github.token && 'Without a token GitHub allows 60 requests an hour. Set GITHUB_TOKEN for 5,000.')),
      check('Pipedrive', refused ? 'bad' : problem ? 'warn' : 'good', refused ? 'API key rejected' : `Connected${user ? ` as ${user}` : ''}${company ? ` at ${company}` : ''}`, problem || (refused && pushes.reason)),
      check('New deals', problem || refused ? 'warn' : 'good', `${pipeline || 'Default pipeline'} → ${stage || 'first stage'}${owner ? `, owned by ${owner}` : ''}`, (problem || refused) && 'Solve the Pipedrive problem first.'),
      check('Custom fields', fields.length ? 'good' : 'warn', fields.length ? fields.map(({ name }) => name).join(', ') : 'Not created yet', !fields.length && 'gistdeal creates its custom fields before the first deal.'),
      (warnings ?? []).map((warning) => check('Account', 'warn', 'Works with a limit', warning)),
      quotas.filter(({ name }) => name === 'pipedrive-day').map(left)),
    el('p', { className: 'quiet' }, 'Checked ', when(at), '.'));
}

// unknown explains that the server is older than the page.
export const unknown = () => empty('queued', 'Not available', 'This server is older than its page. Update gistdeal to see this.');

function left({ name, remaining, limit, reserved }) {
  const low = remaining <= reserved;
  return check('Remaining today', low ? 'warn' : 'good', `${count(remaining)} of ${count(limit)} ${quotaName(name).unit}${limit ? ` (${percent(remaining / limit)})` : ''}`,
    low && 'The rest is reserved for your team. Deal creation continues when the quota resets.');
}

const tones = { good: ['created', 'OK'], warn: ['failed', 'Warning'], bad: ['failed', 'Error'] };

const check = (name, tone, word, advice) => el('li', { data: { tone, check: name } }, icon(tones[tone][0]),
  el('div', {}, el('p', {}, spoken(`${tones[tone][1]}: `), el('span', { className: 'quiet' }, name), el('span', { className: 'strong block' }, word)), advice && el('p', { className: 'reason', dir: 'auto' }, capital(localTimes(advice)))));
