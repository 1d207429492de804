// Webhooks: the addresses that get messages about events, for programs and for people. Only
// admins see them.

import * as api from './api.js';
import { button, el, renew } from './dom.js';
import { attempt, badge, confirm, copying, dialog, due, empty, when } from './parts.js';
import { capital } from './words.js';

const kinds = {
  webhook: { word: 'Signed JSON for a program', url: 'https://n8n.example/webhook/gistdeal' },
  slack: { word: 'Slack, Mattermost', url: 'https://hooks.slack.com/services/…' },
  teams: { word: 'Microsoft Teams workflow', url: 'https://….logic.azure.com/workflows/…' },
  ntfy: { word: 'ntfy topic', url: 'https://ntfy.sh/…' },
  email: { word: 'E-mail', url: 'mailto:ann@example.com,bob@example.com' },
};

const states = {
  enabled: { word: 'Enabled', tone: 'good', mark: 'created' },
  disabled: { word: 'Disabled', tone: 'none', mark: 'pause' },
  failed: { word: 'Disabled after failures', tone: 'bad', mark: 'failed' },
};

const digests = { minute: 'A minute after the first event', hourly: 'Once an hour', daily: 'Once a day, at 8 in the morning' };

const deliveryStates = {
  delivered: { word: 'Delivered', tone: 'good', mark: 'created' },
  pending: { word: 'Waits', tone: 'warn', mark: 'queued' },
  failed: { word: 'Failed', tone: 'bad', mark: 'failed' },
};

const part = 20; // messages in the list

export function webhooks(page) {
  page.head('Webhooks and notices', el('a', { href: '#/settings', className: 'button' }, 'Back to settings'));
  if (!page.admin) {
    page.show(empty('locked', 'Only admins see webhooks', 'Sign in with a token of scope admin.'));
    return undefined;
  }
  const list = el('section', { className: 'card', id: 'webhooks' });
  const read = async () => {
    const { webhooks: all } = await api.webhooks(page.signal);
    renew(list, all, () => [el('h2', {}, 'Addresses'), all.length ? table(all, read) : empty('sending', 'No webhook yet', 'Add one below, to be told of new gists, failed deals and spent quotas.')]);
    if (!page.shown) page.show(list, el('section', { className: 'card' }, el('h2', {}, 'Add a webhook'), creation(read)));
  };
  return page.keep(read);
}

const table = (all, read) => el('table', { className: 'tokens small' },
  el('thead', {}, el('tr', {}, ['Name', 'State', 'Action'].map((word) => el('th', { scope: 'col' }, word)))),
  el('tbody', {}, all.map((one) => row(one, read))));

function row(one, read) {
  const { name, kind, url, state, reason, types, user, digest, quiet, zone, delivered_at: delivered, pending } = one;
  const on = state === 'enabled';
  const facts = [
    `${kinds[kind]?.word ?? kind}, ${url}`,
    [types.length ? types.join(', ') : 'all events', user && ` of ${user}`],
    digest && [digests[digest] ?? digest, quiet && `, not ${quiet}`, (quiet || digest === 'daily') && ` (${zone || 'UTC'})`],
    ['last success ', when(delivered), pending > 0 && `, ${pending} waiting`],
  ].filter(Boolean);
  const act = (word, run, done, kinded = {}) => button(word, async () => await attempt(run, done) !== null && attempt(read), { ariaLabel: `${word} ${name}`, ...kinded });
  return el('tr', { data: { webhook: name } },
    el('th', { scope: 'row' }, name, facts.map((fact) => el('p', { className: 'quiet', dir: 'auto' }, fact))),
    el('td', {}, badge(states[state].tone, states[state].mark, states[state].word), reason && el('p', { className: 'reason', dir: 'auto' }, capital(reason))),
    el('td', { className: 'act' },
      on && act('Test', () => api.testWebhook(name), (sent) => outcome(sent), { data: { act: 'test' } }),
      button('Messages', () => attempt(() => messages(name)), { ariaLabel: `Messages to ${name}`, data: { act: 'messages' } }),
      act(on ? 'Disable' : 'Enable', () => api.changeWebhook(name, { state: on ? 'disabled' : 'enabled' }), `${name} ${on ? 'disabled' : 'enabled'}`, { data: { act: 'toggle' } }),
      button('Delete', () => remove(name, read), { kind: 'danger', ariaLabel: `Delete ${name}`, data: { act: 'delete' } })));
}

// outcome is the answer to a test, in words.
const outcome = ({ state, status, problem }) => ({
  delivered: `Accepted${status ? ` with status ${status}` : ''}`, pending: 'Not sent yet: no leader has sent it', failed: `Not accepted: ${problem}`,
})[state];

async function messages(name) {
  const { deliveries } = await api.deliveries(name, { limit: part });
  const line = ({ type, state, attempts, created_at: created, tried_at: tried, next_at: next, status, problem }) => el('li', {},
    badge(deliveryStates[state].tone, deliveryStates[state].mark, deliveryStates[state].word),
    el('div', {},
      el('p', { className: 'facts' }, el('span', { className: 'strong' }, type), when(tried || created)),
      el('p', { className: 'quiet' }, `Attempts: ${attempts}`, status && `, last answer ${status}`, next && [', next ', due(next, 'now')]),
      problem && el('p', { className: 'reason', dir: 'auto' }, capital(problem))));
  dialog(`Messages to ${name}`, deliveries.length ? el('ul', { className: 'runs', id: 'deliveries' }, deliveries.map(line)) : el('p', {}, 'None yet.'));
}

async function remove(name, read) {
  const yes = await confirm(`Delete ${name}?`, 'It gets no more messages, and the list of its messages is deleted. You can’t undo this.', 'Delete', { danger: true });
  if (yes !== null && await attempt(() => api.deleteWebhook(name), `${name} deleted`)) await attempt(read);
}

// creation is the form for a new webhook. Times are only for people.
function creation(read) {
  const id = (name) => `webhook-${name}`;
  const field = (name, word, input, hint = '') => el('p', { className: 'field' }, el('label', { htmlFor: id(name) }, word), input, hint && el('span', { className: 'quiet', id: `${id(name)}-hint` }, hint));
  const text = (name, props = {}) => el('input', { id: id(name), name, autocomplete: 'off', ...props });
  const choice = (name, offered) => el('select', { id: id(name), name }, Object.entries(offered).map(([value, word]) => el('option', { value }, word)));
  const kind = choice('kind', Object.fromEntries(Object.entries(kinds).map(([name, { word }]) => [name, word])));
  const url = text('url', { required: true, maxLength: 2000 });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? '';
  const times = el('div', {},
    field('digest', 'Send one message', choice('digest', digests)),
    field('quiet', 'Quiet hours', text('quiet', { placeholder: '20:00-07:30', maxLength: 11 }), `In the time zone ${zone || 'UTC'}. Leave it empty for none.`));
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const send = el('button', { className: 'primary', id: 'add-webhook' }, 'Add webhook');
  const form = el('form', { className: 'options' },
    field('name', 'Name', text('name', { required: true, maxLength: 40 }), 'Such as n8n or sales.'),
    field('kind', 'For', kind), field('url', 'Address', url, 'It is a secret for people’s kinds, and is not shown again.'), times,
    wrong, el('div', { className: 'line' }, send));
  const people = () => kind.value !== 'webhook';
  kind.onchange = () => {
    times.hidden = !people();
    url.placeholder = kinds[kind.value].url;
  };
  kind.onchange();
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (send.ariaBusy === 'true') return;
    send.ariaBusy = 'true';
    wrong.textContent = '';
    const value = (name) => form.elements[name].value.trim();
    try {
      const added = await api.addWebhook({ name: value('name'), kind: kind.value, url: value('url'), ...(people() && { digest: value('digest'), quiet: value('quiet'), zone }) });
      form.reset();
      kind.onchange();
      if (added.secret) shown(added);
      await read();
    } catch (problem) {
      wrong.textContent = capital(problem.message);
    } finally {
      send.ariaBusy = null;
    }
  };
  return form;
}

// shown shows the secret of a new webhook. It is not available again later.
const shown = ({ name, secret }) => dialog(`Webhook ${name}`, el('p', {}, 'Copy the secret now. The receiver verifies messages with it; you won’t see it again.'),
  el('div', { className: 'line' }, el('code', { id: 'webhook-secret' }, secret), copying('Copy', secret)));
