// The command palette: go to a view, a user, a gist or a deal, or start an action, by typing.

import * as api from './api.js';
import { el, icon } from './dom.js';
import { showHistory } from './gist.js';
import { dialog } from './parts.js';
import { setTheme } from './theme.js';
import { nameOf, userStates } from './words.js';

const settle = 150; // ms after the last key
const users = 6; // users shown

const go = (word, href, mark, more = '') => ({ word, mark, more, run: () => (location.hash = href) });

const commands = (may) => [
  go('Overview', '#/', 'created'), go('New', '#/new', 'new'), go('Deals', '#/deals', 'created'), go('Users', '#/users', 'users'), go('Activity', '#/activity', 'again'),
  go('Failures', '#/failures', 'failed'), go('Deals awaiting approval', '#/deals?state=awaiting_approval', 'awaiting_approval'), go('Quotas', '#/quotas', 'queued'), go('Settings', '#/settings', 'sending'), go('Rules', '#/rules', 'sending'),
  go('Audit log', '#/audit', 'users'), go('Bulk operations', '#/operations', 'users'), go('API reference', '#/api', 'sending'),
  may && go('Add users', '#/add', 'new'),
  ...[['', 'system'], ['light', 'light'], ['dark', 'dark']].map(([theme, word]) => ({ word: `Theme: ${word}`, mark: 'skipped', run: () => setTheme(theme) })),
].filter(Boolean);

// openPalette opens the palette, unless a dialog is open.
export function openPalette(may) {
  if (document.querySelector('dialog[open]')) return;
  const input = el('input', { type: 'text', id: 'palette', autocomplete: 'off', spellcheck: false, placeholder: 'User, gist, deal or view', ariaLabel: 'Go to', attrs: { role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'palette-list', 'aria-autocomplete': 'list' } });
  const list = el('ul', { id: 'palette-list', className: 'palette', attrs: { role: 'listbox', 'aria-label': 'Results' } });
  const box = dialog('Go to', input, list);
  let shown = [];
  let at = 0;
  let timer = 0;
  const mark = (next) => {
    at = shown.length ? (next + shown.length) % shown.length : 0;
    [...list.children].forEach((option, i) => (option.ariaSelected = String(i === at)));
    input.setAttribute('aria-activedescendant', shown.length ? `palette-${at}` : '');
    list.children[at]?.scrollIntoView({ block: 'nearest' });
  };
  const run = (item) => {
    box.close();
    item.run();
  };
  const draw = (items) => {
    shown = items;
    list.replaceChildren(...items.map((item, i) => el('li', { id: `palette-${i}`, attrs: { role: 'option' }, onclick: () => run(item) }, icon(item.mark), el('span', { dir: 'auto' }, item.word), item.more && el('span', { className: 'quiet' }, item.more))));
    if (!items.length) list.replaceChildren(el('li', { className: 'quiet', attrs: { role: 'option', 'aria-disabled': 'true' } }, 'Nothing found'));
    mark(0);
  };
  const find = async () => {
    const text = input.value.trim();
    const known = [...numbered(text), ...commands(may).filter(({ word }) => word.toLowerCase().includes(text.toLowerCase()))];
    if (!text || text.length > 39) {
      draw(known);
      return;
    }
    const answer = await api.users({ search: text, limit: users, sort: 'login' }).catch(() => ({ users: [] }));
    if (input.value.trim() !== text) return; // A later search replaces this one.
    draw([...answer.users.map((user) => go(user.login, `#/users/${encodeURIComponent(nameOf(user))}`, userStates[user.state]?.mark ?? 'users', 'user')), ...known]);
  };
  input.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(find, settle);
  };
  input.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark(at + step);
    else if (event.key === 'Enter' && shown[at]) run(shown[at]);
    else return;
    event.preventDefault();
  };
  draw(commands(may));
  input.focus();
}

// numbered are the gist or the deal that a text names.
function numbered(text) {
  const gist = text.match(/(?:^|\/)([0-9a-f]{20,32})$/i)?.[1];
  const deal = text.match(/^#?(\d{1,18})$/)?.[1];
  return [
    gist && { word: `History of gist ${gist}`, mark: 'queued', run: () => showHistory(gist) },
    deal && go(`Deal #${deal}`, `#/deals?search=${deal}`, 'created'),
  ].filter(Boolean);
}
