// Webhooks: the addresses that get messages about events, for programs and for people. Only
// admins see them.

import * as api from './api.js';
import { button, el, renew } from './dom.js';
import { deliveries } from './deliveries.js';
import { attempt, badge, confirm, copying, dialog, due, empty, when } from './parts.js';
import { capital } from './words.js';
import { choice, digests, extras, field, forPeople, onSubmit, text, timing, types } from './webhookform.js';

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
  const { name, kind, url, headers, state, reason, types: chosen, user, digest, quiet, zone, delivered_at: delivered, pending, old_secret_until: oldUntil } = one;
  const on = state === 'enabled';
  const facts = [
    `${kinds[kind]?.word ?? kind}, ${url}`,
    [chosen.length ? chosen.join(', ') : 'all events', user && ` of ${user}`],
    headers.length > 0 && `with ${headers.join(', ')}`,
    digest && [digests[digest] ?? digest, quiet && `, not ${quiet}`, (quiet || digest === 'daily') && ` (${zone || 'UTC'})`],
    ['last success ', when(delivered), pending > 0 && `, ${pending} waiting`],
    oldUntil && new Date(oldUntil) > new Date() && ['the old secret ends ', when(oldUntil)],
  ].filter(Boolean);
  const act = (word, run, done, kinded = {}) => button(word, async () => await attempt(run, done) !== null && attempt(read), { ariaLabel: `${word} ${name}`, ...kinded });
  return el('tr', { data: { webhook: name } },
    el('th', { scope: 'row' }, name, facts.map((fact) => el('p', { className: 'quiet', dir: 'auto' }, fact))),
    el('td', {}, badge(states[state].tone, states[state].mark, states[state].word), reason && el('p', { className: 'reason', dir: 'auto' }, capital(reason))),
    el('td', { className: 'act' }, el('div', { className: 'line end' },
      on && act('Test', () => api.testWebhook(name), (sent) => outcome(sent), { data: { act: 'test' } }),
      button('Messages', () => attempt(() => deliveries(one)), { ariaLabel: `Messages to ${name}`, data: { act: 'messages' } }),
      button('Change', () => change(one, read), { ariaLabel: `Change ${name}`, data: { act: 'change' } }),
      !forPeople(kind) && button('Rotate secret', () => rotate(name, read), { ariaLabel: `Rotate secret of ${name}`, data: { act: 'rotate' } }),
      act(on ? 'Disable' : 'Enable', () => api.changeWebhook(name, { state: on ? 'disabled' : 'enabled' }), `${name} ${on ? 'disabled' : 'enabled'}`, { data: { act: 'toggle' } }),
      button('Delete', () => remove(name, read), { kind: 'danger', ariaLabel: `Delete ${name}`, data: { act: 'delete' } }))));
}

// outcome is the answer to a test, in words.
const outcome = ({ state, status, problem }) => ({
  delivered: `Accepted${status ? ` with status ${status}` : ''}`, pending: 'Not sent yet: no leader has sent it', failed: `Not accepted: ${problem}`,
})[state];

async function remove(name, read) {
  const yes = await confirm(`Delete ${name}?`, 'It gets no more messages, and the list of its messages is deleted. You can’t undo this.', 'Delete', { danger: true });
  if (yes !== null && await attempt(() => api.deleteWebhook(name), `${name} deleted`)) await attempt(read);
}

const overlaps = { '0s': 'at once', '1h': 'in an hour', '24h': 'in a day', '7d': 'in a week', '30d': 'in 30 days' };

// rotate gives a webhook a new secret. Both sign messages until the old one ends.
async function rotate(name, read) {
  const end = choice('overlap', Object.fromEntries(Object.entries(overlaps).map(([value, word]) => [value, `Ends ${word}`])), '24h');
  const yes = await confirm(`Rotate the secret of ${name}?`, 'Messages are signed with the new secret at once, and with the old one too until it ends. Give the receiver the new one before.', 'Rotate', { more: field('Old secret', end) });
  if (yes === null) return;
  const rotated = await attempt(() => api.rotateWebhook(name, end.value));
  if (!rotated) return;
  shown(rotated);
  await attempt(read);
}

// preview shows the texts as people would get them.
async function preview(kind, events, times) {
  const seen = await attempt(() => api.previewNotices({ kind, types: chosenTypes(events), ...times.value() }));
  if (!seen) return;
  dialog('Preview', el('p', {}, 'A message about something that happens now is sent ', due(seen.due_at, 'now'), '. One message tells of everything since the last one.'),
    el('ul', { className: 'runs', id: 'preview' }, seen.texts.map(({ type, text: words }) => el('li', {}, el('div', {}, el('p', { className: 'quiet' }, type), el('p', { className: 'notice', dir: 'auto' }, words.trim()))))));
}

const previewing = (kind, events, times) => button('Preview', () => preview(kind(), events(), times()), { data: { act: 'preview' } });

// chosenTypes returns the chosen types of events, empty for all.
function chosenTypes(events) {
  const chosen = events.value();
  if (!chosen) throw new api.Problem(400, 'Invalid request', 'choose at least one type of event');
  return chosen;
}

// change asks for what a webhook gets and when. Its address stays unless a new one is given.
function change({ name, kind, headers, types: chosen, user, digest, quiet, zone }, read) {
  const events = types('change-types', chosen);
  events.offer(kind);
  const times = forPeople(kind) && timing('change', { digest, quiet, zone: zone ?? '' });
  const more = extras('change', { user, headers });
  more.offer(kind);
  const url = text('change-url', { maxLength: 2000 });
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  const save = el('button', { className: 'primary', id: 'save-webhook' }, 'Save');
  const form = el('form', { className: 'options' }, events.part, times && times.part, more.part,
    field('New address', url, 'Leave it empty to keep the address.'), wrong, el('div', { className: 'line' }, save, times && previewing(() => kind, () => events, () => times)));
  onSubmit(form, save, wrong, async () => {
    const address = url.value.trim();
    await api.changeWebhook(name, { types: chosenTypes(events), ...(times && times.value()), ...more.value(), ...(address && { url: address }) });
    box.close();
    await read();
  });
  const box = dialog(`Change ${name}`, form);
}

// creation is the form for a new webhook. Times are only for people.
function creation(read) {
  const name = text('webhook-name', { required: true, maxLength: 40 });
  const kind = choice('webhook-kind', Object.fromEntries(Object.entries(kinds).map(([one, { word }]) => [one, word])));
  const url = text('webhook-url', { required: true, maxLength: 2000 });
  const parts = el('div', { className: 'options' });
  const wrong = el('p', { className: 'wrong', role: 'alert' });
  let events, times, more;
  const send = el('button', { className: 'primary', id: 'add-webhook' }, 'Add webhook');
  const look = previewing(() => kind.value, () => events, () => times);
  const form = el('form', { className: 'options', id: 'webhook-form' },
    field('Name', name, 'Such as n8n or sales.'), field('For', kind), field('Address', url, 'It is a secret for people’s kinds, and is not shown again.'), parts,
    wrong, el('div', { className: 'line' }, send, look));
  const renewed = () => {
    events = types('webhook-types');
    times = timing('webhook');
    more = extras('webhook');
    parts.replaceChildren(events.part, times.part, more.part);
    offer();
  };
  const offer = () => {
    events.offer(kind.value);
    more.offer(kind.value);
    times.part.hidden = look.hidden = !forPeople(kind.value);
    url.placeholder = kinds[kind.value].url;
  };
  kind.onchange = offer;
  renewed();
  return onSubmit(form, send, wrong, async () => {
    const added = await api.addWebhook({ name: name.value.trim(), kind: kind.value, url: url.value.trim(), types: chosenTypes(events), ...(forPeople(kind.value) && times.value()), ...more.value() });
    form.reset();
    renewed();
    if (added.secret) shown(added);
    await read();
  });
}

// shown shows a new secret of a webhook. It is not available again later.
const shown = ({ name, secret, old_secret_until: oldUntil }) => dialog(`Webhook ${name}`, el('p', {}, 'Copy the secret now. The receiver verifies messages with it; you won’t see it again.'),
  el('div', { className: 'line' }, el('code', { id: 'webhook-secret' }, secret), copying('Copy', secret)),
  oldUntil && new Date(oldUntil) > new Date() && el('p', {}, 'The old secret ends ', when(oldUntil), '.'));
