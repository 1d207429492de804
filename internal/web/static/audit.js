// The audit log: all changes, with their actors and times. Only admins see it.

import * as api from './api.js';
import { button, el, icon, keyed, renew } from './dom.js';
import { attempt, chips, empty, more, when } from './parts.js';
import { actionOf, capital, sources } from './words.js';

const part = 50; // entries per request

export function audit(page) {
  page.head('Audit log', el('a', { className: 'button', id: 'download', href: api.auditLogFile, attrs: { download: '' } }, 'Download CSV'));
  if (!page.admin) {
    page.show(empty('locked', 'Only admins see the audit log', 'Sign in with a token of scope admin.'));
    return undefined;
  }
  const source = page.query.get('source') ?? '';
  const state = { page, source: sources[source] ? source : '', target: page.query.get('target') ?? '', all: [], next: '' };
  state.list = el('ul', { className: 'runs card', id: 'entries' });
  for (const name of ['none', 'rest']) state[name] = el('div');
  return page.keep(() => read(state));
}

const query = ({ source, target }) => ({ source, target, limit: part });

async function read(state) {
  const { entries, next = '' } = await api.auditLog(query(state), state.page.signal);
  Object.assign(state, { all: entries, next });
  draw(state);
}

async function further(state) {
  const { entries, next = '' } = await api.auditLog({ ...query(state), cursor: state.next }, state.page.signal);
  state.all.push(...entries);
  state.next = next;
  draw(state);
  state.list.querySelector(`[data-key="${entries[0]?.id}"]`)?.focus();
}

function draw(state) {
  const { page, all, next } = state;
  keyed(state.list, all, ({ id }) => id, row);
  state.list.hidden = !all.length;
  renew(state.none, all.length > 0, () => (all.length ? '' : empty('queued', 'No entries', 'Changes that people and programs make appear here.')));
  renew(state.rest, next, () => more(next, () => attempt(() => further(state))));
  if (!page.shown) page.show(...filters(state), state.list, state.none, state.rest);
}

function filters({ source, target }) {
  const field = el('input', { id: 'target', type: 'search', value: target, maxLength: 255, autocomplete: 'off' });
  const form = el('form', { className: 'line' }, el('label', { htmlFor: 'target' }, 'Changes of'), field, button('Show', () => form.requestSubmit()));
  form.onsubmit = (event) => {
    event.preventDefault();
    location.hash = address(source, field.value.trim());
  };
  return [
    chips('Filter by source', [
      { word: 'All', href: address('', target), on: !source },
      ...Object.entries(sources).map(([name, word]) => ({ word, href: address(name, target), on: name === source, data: { only: name } })),
    ]),
    form,
  ];
}

const address = (source, target) => `#/audit?${new URLSearchParams({ ...(source && { source }), ...(target && { target }) })}`;

function row({ at, actor, source, address: from, action, target, before, after, reason, count: n }) {
  const change = [before && after ? `${before} → ${after}` : after || before, n > 0 && String(n)].filter(Boolean).join(' · ');
  const { word, mark } = actionOf(action);
  return el('li', { tabIndex: -1, data: { action } },
    icon(mark),
    el('div', {},
      el('p', { className: 'facts' }, el('span', { className: 'strong', dir: 'auto' }, word, target && [' ', target]), when(at)),
      change && el('p', { dir: 'auto' }, change),
      reason && el('p', { className: 'reason', dir: 'auto' }, capital(reason)),
      el('p', { className: 'quiet', dir: 'auto' }, [actor || 'Unknown', sources[source], from].filter(Boolean).join(' · '))));
}
