// The accounts, the settings, the people and the API tokens.

import * as api from './api.js';
import { account, unknown } from './account.js';
import { el, renew } from './dom.js';
import { options } from './options.js';
import { people } from './people.js';
import { tokens } from './tokens.js';

const readEvery = 5_000; // ms

export function settings(page) {
  page.head('Settings');
  const parts = Object.fromEntries(['account', 'options', 'people', 'tokens'].map((name) => [name, el('section', { className: 'card', id: name })]));
  const read = async () => {
    const [known, remotes, all, { people: signedIn }, { tokens: made }] = await Promise.all([
      api.account(page.signal), api.quotas(page.signal), api.settings(page.signal),
      page.admin ? api.people(page.signal) : { people: [] }, page.admin ? api.tokens(page.signal) : { tokens: null },
    ]);
    renew(parts.account, [known, remotes], () => [el('h2', {}, 'Accounts'), account(known, remotes)]);
    renew(parts.options, [all, known?.pipelines], () => [el('h2', {}, 'New deals and users'), all ? options(page, all.settings, known?.pipelines ?? [], read) : unknown()]);
    renew(parts.people, [page.me, signedIn], () => [el('h2', {}, 'Signed in'), people(page.me, signedIn, read)]);
    renew(parts.tokens, made, () => [el('h2', {}, 'API tokens'), made ? tokens(made, page.me.name, read) : el('p', { className: 'quiet' }, 'Only admin tokens can manage tokens.')]);
    if (!page.shown) page.show(...Object.values(parts), elsewhere(page));
  };
  // The leader checks a changed target soon after it was saved.
  const each = setInterval(() => document.hidden || page.body.contains(document.activeElement) || page.poll(), readEvery);
  page.signal.addEventListener('abort', () => clearInterval(each));
  const first = page.keep(read);
  first.then(() => {
    const field = page.query.get('focus') && document.getElementById(`set-${page.query.get('focus')}`);
    if (field && !page.signal.aborted) field.focus();
  });
  return first;
}

// elsewhere links to the views of this part of the page.
function elsewhere({ admin }) {
  const link = (id, word, means) => el('li', {}, el('a', { href: `#/${id}`, id: `to-${id}` }, word), means);
  return el('section', { className: 'card' }, el('h2', {}, 'More'), el('ul', { className: 'links' },
    el('li', {}, el('a', { href: '#/' }, 'Overview'), ': pause and resume deal creation'),
    link('rules', 'Rules', ': which gists become deals, and the words in them'),
    admin && [
      link('webhooks', 'Webhooks and notices', ': tell programs and people of new gists, failures and more'),
      link('audit', 'Audit log', ': who changed what'),
      link('erase', 'Erase a person', ': forget a user and everything about the gists'),
    ]));
}
