// What rules decide about the last gists, and about the deals that were not sent.

import * as api from './api.js';
import { el, spoken } from './dom.js';
import { follow } from './operations.js';
import { attempt, badge, confirm, toast } from './parts.js';
import { actions } from './rulewords.js';
import { count, counted } from './words.js';

// refused says why there is no preview.
export function refused({ status, message }) {
  if (status === 403) return 'Your token may not preview rules: ask for one of scope write.';
  return [400, 422].includes(status) ? `Not possible yet: ${message}` : `No preview: ${message}`;
}

const compared = (n, before) => (n === before ? 'as many as now' : n > before ? `${count(n - before)} more than now` : `${count(before - n)} fewer than now`);

// summary is the preview in one line.
export const summary = ({ gists, create, create_now: before }) => (gists ? `${count(create)} of ${counted(gists, 'gist')} get a deal; ${compared(create, before)}` : '');

// preview is the content of the preview.
export function preview(found) {
  const { gists, hold, skip, deals_per_day: daily, pipedrive_tokens_per_day: tokens, github_requests: asked, github_requests_per_day: asks, following, pipedrive_tokens_per_change: each, results } = found;
  if (!gists) return [el('h2', {}, 'Preview'), el('p', { className: 'quiet' }, 'There are no gists yet. Track a user, and see here what the rules decide about the last gists.')];
  return [
    el('h2', {}, 'Preview'),
    el('p', {}, el('span', { className: 'strong', id: 'rule-counts' }, summary(found))),
    el('p', { className: 'quiet' }, `${count(hold)} wait for approval, ${count(skip)} get none. ${counted(Math.round(daily * 10) / 10, 'deal')} and ${counted(Math.round(tokens), 'token')} of Pipedrive a day at last month’s pace.`.replace(/no (deal|token)/g, '0 $1')),
    asked > 0 && el('p', { className: 'quiet', id: 'rule-asks' }, `GitHub is asked about ${count(asked)} of them alone when they are noticed, for forks or first lines of files: ${asks} requests a day.`),
    following > 0 && el('p', { className: 'quiet', id: 'rule-changing' }, followed(following, each)),
    el('h3', {}, gists > results.length ? `The last ${count(results.length)}` : 'Gists'),
    el('ul', { className: 'rule-results' }, results.map(result)),
  ];
}

// followed tells the cost of deals that follow changes of their gists.
const followed = (deals, tokens) => `${counted(deals, 'deal')} ${deals === 1 ? 'follows' : 'follow'} changes of ${deals === 1 ? 'its gist' : 'their gists'}: each change takes up to ${counted(tokens, 'token')} on top.`;

const decided = { create: ['good', 'created', 'Deal'], hold: ['warn', 'awaiting_approval', 'Waits'], skip: ['none', 'skipped', 'No deal'] };

function result({ gist_id: id, login, description, rule, action, reason, failed, now, deal }) {
  return el('li', { data: { gist: id, decided: action } },
    el('p', { className: 'line' }, badge(...decided[action]), el('span', { className: 'strong about-gist', dir: 'auto' }, description.trim() || id), now !== action && el('span', { className: 'quiet' }, `now: ${actions[now].few}`)),
    el('p', { className: 'quiet', dir: 'auto' }, `${login}, by “${rule}”`, action !== 'skip' && reason && !reason.endsWith(' wants it') && `: ${reason}`),
    (failed.length > 0 || deal) && el('details', {}, el('summary', {}, 'Why', spoken(` ${description || id}`)),
      failed.length > 0 && el('ul', { className: 'why' }, failed.map((one) => el('li', { dir: 'auto' }, `Not “${one.rule}”: ${one.why}`))),
      deal && el('dl', {}, el('dt', { className: 'quiet' }, 'Title'), el('dd', { dir: 'auto' }, deal.title), Object.entries(deal.fields).map(([field, value]) => [el('dt', { className: 'quiet' }, field), el('dd', { dir: 'auto' }, String(value))]),
        deal.unknown && [el('dt', { className: 'quiet' }, deal.unknown.join(', ')), el('dd', {}, 'first lines of files are read when a gist is noticed')])));
}

// again decides anew about the deals that were not sent, after it has counted them.
export async function again(quiet = false) {
  const changes = await attempt(() => api.ruleChanges());
  if (!changes) return;
  const { queue, hold, skip, content, github_requests: asks } = changes;
  const lines = [[queue, 'more would be queued'], [hold, 'more would wait for approval'], [skip, 'more would be skipped'], [content, 'would get another content or rule']].filter(([n]) => n);
  if (!lines.length) {
    if (!quiet) toast('The rules change no deal that was not sent.');
    return;
  }
  const yes = await confirm('Apply the rules again?', 'These deals were decided by earlier rules, and were not sent yet. Deals that were sent never change.', 'Apply again',
    { more: el('ul', { id: 'rule-changes' }, lines.map(([n, what]) => el('li', {}, el('span', { className: 'strong' }, counted(n, 'deal')), ` ${what}`)), asks > 0 && el('li', {}, `GitHub is asked first, with ${counted(asks, 'request')}`)) });
  if (yes === null) return;
  const op = await attempt(() => api.applyRules());
  if (op) follow(op);
}
