// Before many deals begin, a person sees their cost and is asked.

import * as api from './api.js';
import { el } from './dom.js';
import { confirm } from './parts.js';
import { count, counted, percent, span } from './words.js';

export const many = 50; // more deals than these need a confirmation

// costText describes a cost: 120 deals, about 2 minutes, 2 % of today's quota.
export function costText({ deals, seconds, pipedrive_tokens: tokens, days }, limit) {
  return [
    `${counted(deals, 'deal')}, about ${span(seconds)}`,
    limit > 0 && `, ${percent(tokens / limit)} of a day’s Pipedrive quota`,
    '.',
    days === 0 && deals > 0 && ' The quota is too small for them.',
    days > 1 && ` With this quota they take ${counted(days, 'day')}.`,
  ].filter(Boolean).join('');
}

// dayLimit is the daily quota of Pipedrive, 0 if it is not known.
export const dayLimit = ({ quotas }) => quotas.find(({ name }) => name === 'pipedrive-day')?.limit ?? 0;

// ask reports whether so many deals may begin. Without an estimate it asks all the same.
export async function ask(verb, deals, { title = `${verb} ${counted(deals, 'deal')}?`, text = '', always = false, more = '' } = {}) {
  if (deals <= many && !always) return true;
  const known = await Promise.all([api.cost(deals), api.quotas()]).catch(() => null);
  const cost = el('p', { className: 'strong', id: 'cost' }, known ? costText(known[0], dayLimit(known[1])) : `${counted(deals, 'deal')}. Their cost is not known.`);
  return (await confirm(title, text, verb, { more: [cost, more] })) !== null;
}

// askForUsers does the same for the deals of users that will be tracked. It asks GitHub once
// for each of up to 100 of them, and takes the others to be alike.
export async function askForUsers(verb, logins, backfill, text = '', tags = {}) {
  const some = logins.slice(0, most);
  const tagsOfSome = Object.fromEntries(some.filter((login) => tags[login]).map((login) => [login, tags[login]]));
  const plan = backfill === 'none' ? null : await api.plan(some, backfill, tagsOfSome).catch(() => null);
  const deals = Math.round((plan?.deals ?? 0) * (logins.length / Math.min(logins.length, most)));
  return ask(verb, deals, {
    title: logins.length === 1 ? `${verb} ${plan?.users[0].login || logins[0]}?` : `${verb} ${counted(logins.length, 'user')}?`,
    text: [text, logins.length > most && plan && `Estimated from the first ${most} users.`].filter(Boolean).join(' '),
    always: logins.length > most || plan?.rules?.gists > 0,
    more: plan?.rules?.gists > 0 && byRules(plan.rules),
  });
}

// byRules shows what the rules decide about the gists of new users.
const byRules = ({ gists, create, hold, skip, github_requests: asks, following, pipedrive_tokens_per_change: each, results }) => el('details', { id: 'by-rules' },
  el('summary', {}, `By the rules, ${count(create)} of the last ${counted(gists, 'gist')} get a deal, ${count(hold)} wait for approval, ${count(skip)} get none${asks ? `, after ${counted(asks, 'request')} to GitHub` : ''}.`),
  following > 0 && el('p', { className: 'quiet' }, `${counted(following, 'deal')} of them follow changes of their gists, each for up to ${counted(each, 'token')} on top.`),
  el('ul', { className: 'why' }, results.map(({ gist_id: id, description, rule, action, reason, deal }) => el('li', { dir: 'auto', data: { decided: action } },
    `${description.trim() || id}: ${action === 'skip' ? 'no deal' : action === 'hold' ? 'waits' : `“${deal.title}”`}, by “${rule}”${action === 'hold' && reason ? `: ${reason}` : ''}`))));

const most = 100; // users of one estimate, and of one addition that is no operation
