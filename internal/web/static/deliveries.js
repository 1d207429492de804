// The messages to a webhook. Those for programs can be sent again.

import * as api from './api.js';
import { button, el } from './dom.js';
import { attempt, badge, dialog, due, when } from './parts.js';
import { capital, counted } from './words.js';
import { field, forPeople, text } from './webhookform.js';

const states = {
  delivered: { word: 'Delivered', tone: 'good', mark: 'created' },
  pending: { word: 'Waits', tone: 'warn', mark: 'queued' },
  failed: { word: 'Failed', tone: 'bad', mark: 'failed' },
};

const part = 20; // messages in the list

// deliveries shows the last messages in a dialog.
export async function deliveries({ name, kind }) {
  const again = !forPeople(kind);
  const list = el('ul', { className: 'runs', id: 'deliveries' });
  const read = async () => {
    const { deliveries: all } = await api.deliveries(name, { limit: part });
    list.replaceChildren(...(all.length ? all.map((one) => line(one, again && redeliver)) : [el('li', {}, 'None yet.')]));
  };
  const redeliver = async (which) => {
    const sent = await attempt(() => api.redeliver(name, which), ({ messages }) => `${capital(counted(messages, 'message'))} will be sent again`);
    if (sent) await attempt(read);
  };
  await read();
  dialog(`Messages to ${name}`, again && range(redeliver), list);
}

function line({ event_id: id, type, state, attempts, created_at: created, tried_at: tried, next_at: next, status, problem }, redeliver) {
  const { tone, mark, word } = states[state];
  return el('li', {},
    badge(tone, mark, word),
    el('div', {},
      el('p', { className: 'facts' }, el('span', { className: 'strong' }, type), when(tried || created), id > 0 && el('span', { className: 'quiet' }, `Event ${id}`)),
      el('p', { className: 'quiet' }, `Attempts: ${attempts}`, status && `, last answer ${status}`, next && [', next ', due(next, 'now')]),
      problem && el('p', { className: 'reason', dir: 'auto' }, capital(problem)),
      redeliver && id > 0 && state !== 'pending' && button('Send again', () => redeliver({ first: id, last: id }), { ariaLabel: `Send again event ${id}`, data: { again: String(id) } })));
}

// range asks which messages are sent again: those that failed, or all from an event on.
function range(redeliver) {
  const first = text('redeliver-first', { required: true, inputMode: 'numeric', pattern: '[0-9]{1,15}' });
  const form = el('form', { className: 'options' },
    el('div', { className: 'line' }, button('Send the failed again', () => redeliver({ first: 0, failed: true }), { id: 'redeliver-failed' })),
    field('From event', first, 'The number of the first event. The receiver gets the messages about it and all later ones again, with their ids.'),
    el('div', { className: 'line' }, el('button', { id: 'redeliver-range' }, 'Send from this event on')));
  form.onsubmit = (event) => {
    event.preventDefault();
    return redeliver({ first: Number(first.value) });
  };
  return form;
}
