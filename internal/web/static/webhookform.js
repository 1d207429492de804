// The fields of a webhook: which events it gets, and when people get their messages.

import { Problem } from './api.js';
import { el } from './dom.js';
import { capital } from './words.js';

export const digests = { minute: 'A minute after the first event', hourly: 'Once an hour', daily: 'Once a day, at 8 in the morning' };

// The types of events, by what they are about.
const groups = {
  Gists: { 'gist.noticed': 'New gist', 'gist.edited': 'Edited', 'gist.deleted': 'Deleted or made secret', 'gist.restored': 'Public again' },
  Deals: {
    'deal.queued': 'Queued', 'deal.awaiting_approval': 'Awaits approval', 'deal.postponed': 'Queued again after a failure', 'deal.created': 'Created', 'deal.updated': 'Followed its gist',
    'deal.relinked': 'Linked to another deal', 'deal.failed': 'Failed', 'deal.retried': 'Retried', 'deal.skipped': 'Skipped',
  },
  Users: {
    'user.added': 'Added', 'user.gone': 'No longer on GitHub', 'user.back': 'On GitHub again', 'user.renamed': 'Renamed', 'user.removed': 'Removed',
    'user.paused': 'Paused', 'user.resumed': 'Resumed',
  },
  'The service': {
    'pushes.paused': 'Deal creation paused', 'pushes.resumed': 'Deal creation resumed', 'quota.spent': 'Quota spent', 'quota.restored': 'Quota available again',
    'duplicate.found': 'Duplicate deal found', 'audit.ended': 'Comparison with Pipedrive ended', 'webhook.disabled': 'Webhook disabled',
    'leader.missed': 'Nothing worked for a while',
  },
};

// noticed are the types that messages to people tell of.
const noticed = new Set(['gist.noticed', 'deal.awaiting_approval', 'deal.failed', 'user.added', 'user.gone', 'pushes.paused', 'pushes.resumed',
  'quota.spent', 'quota.restored', 'duplicate.found', 'webhook.disabled', 'leader.missed']);

export const forPeople = (kind) => kind !== 'webhook';

// field is a label with its input. The hint describes the input.
export function field(word, input, hint = '') {
  const id = `${input.id}-hint`;
  if (hint) input.setAttribute('aria-describedby', id);
  return el('p', { className: 'field' }, el('label', { htmlFor: input.id }, word), input, hint && el('span', { className: 'quiet', id }, hint));
}

export const text = (id, props = {}) => el('input', { id, autocomplete: 'off', ...props });

export const choice = (id, offered, value) => el('select', { id }, Object.entries(offered).map(([name, word]) => el('option', { value: name, selected: name === value }, word)));

// types offers the types of events; all of them are chosen unless some are given. Its value
// is empty for all, and null if the visitor chose none.
export function types(id, chosen = []) {
  const all = el('input', { type: 'checkbox', id: `${id}-all`, checked: chosen.length === 0 });
  const boxes = new Map();
  const option = ([type, word]) => {
    boxes.set(type, el('input', { type: 'checkbox', value: type, checked: chosen.includes(type) }));
    return el('label', { className: 'option' }, boxes.get(type), el('span', {}, word));
  };
  const sets = Object.entries(groups).map(([word, offered]) => el('fieldset', {}, el('legend', {}, word), Object.entries(offered).map(option)));
  const each = el('div', { className: 'types', hidden: all.checked }, sets);
  all.onchange = () => { each.hidden = all.checked; };
  const offered = () => [...boxes.values()].filter((box) => !box.parentElement.hidden);
  return {
    part: el('fieldset', { id }, el('legend', {}, 'Events'), el('label', { className: 'option' }, all, el('span', {}, 'All events')), each),
    // offer shows the types that webhooks of that kind tell of.
    offer(kind) {
      for (const [type, box] of boxes) box.parentElement.hidden = forPeople(kind) && !noticed.has(type);
      for (const set of sets) set.hidden = ![...set.querySelectorAll('label')].some((label) => !label.hidden);
    },
    value() {
      const picked = offered().filter((box) => box.checked).map((box) => box.value);
      return all.checked ? [] : picked.length ? picked : null;
    },
  };
}

const here = Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';

// timing asks when people get their messages.
export function timing(id, { digest = 'minute', quiet = '', zone = here } = {}) {
  const when = choice(`${id}-digest`, digests, digest);
  const hours = text(`${id}-quiet`, { value: quiet, placeholder: '20:00-07:30', maxLength: 11 });
  const where = text(`${id}-zone`, { value: zone || 'UTC', maxLength: 64, attrs: { list: `${id}-zones` } });
  return {
    part: el('div', { className: 'options' },
      field('Send one message', when),
      field('Quiet hours', hours, 'Messages wait until they end. Leave it empty for none.'),
      field('Time zone', where, 'Of the quiet hours and of the morning.'),
      el('datalist', { id: `${id}-zones` }, ['UTC', ...Intl.supportedValuesOf('timeZone')].map((value) => el('option', { value })))),
    value: () => ({ digest: when.value, quiet: hours.value.trim(), zone: where.value.trim() }),
  };
}

// headersIn returns the headers of a text with one in each line. Their values are secrets, so
// no problem shows a line.
function headersIn(lines) {
  const all = {};
  for (const [i, line] of lines.split('\n').entries()) {
    const [, name, value] = /^([^:\s]+)\s*:(.*)$/.exec(line.trim()) ?? [];
    if (!line.trim()) continue;
    if (!name) throw new Problem(400, 'Invalid request', `line ${i + 1} of the headers is no header, want Name: value`);
    all[name] = value.trim();
  }
  return all;
}

// extras asks for the user whose events alone a webhook gets, and for its headers. Of the
// headers that it has only the names are known, and new ones replace them.
export function extras(id, { user = '', headers = [] } = {}) {
  const login = text(`${id}-user`, { value: user, maxLength: 100, placeholder: 'octocat', spellcheck: false });
  const lines = el('textarea', { id: `${id}-headers`, rows: 2, autocomplete: 'off', spellcheck: false, placeholder: 'Authorization: Bearer …' });
  const none = el('input', { type: 'checkbox', id: `${id}-no-headers` });
  none.onchange = () => { lines.disabled = none.checked; };
  const kept = headers.length ? `It has ${headers.join(', ')}. Leave this empty to keep them; new ones replace all.` : '';
  const ofHeaders = el('div', {}, field('Headers', lines, `One in each line. ${kept || 'Their values are not shown again.'}`),
    kept && el('label', { className: 'option' }, none, el('span', {}, 'Remove all headers')));
  return {
    part: el('div', { className: 'options' }, field('User', login, 'Only events of this user. Leave it empty for all.'), ofHeaders),
    offer(kind) { ofHeaders.hidden = kind === 'email'; },
    value() {
      const given = ofHeaders.hidden || none.checked ? {} : headersIn(lines.value);
      return { ...(login.value.trim() !== user && { user: login.value.trim() }), ...((none.checked || Object.keys(given).length) && { headers: given }) };
    },
  };
}

// onSubmit has a form run once at a time, and shows what is wrong.
export function onSubmit(form, send, wrong, run) {
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (send.ariaBusy === 'true') return;
    send.ariaBusy = 'true';
    wrong.textContent = '';
    try {
      await run();
    } catch (problem) {
      wrong.textContent = capital(problem.message);
    } finally {
      send.ariaBusy = null;
    }
  };
  return form;
}
