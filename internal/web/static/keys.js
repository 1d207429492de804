// Keyboard shortcuts: Ctrl+K goes anywhere, / searches, ? shows the help.

import { $, el } from './dom.js';
import { openPalette } from './palette.js';
import { dialog } from './parts.js';
import { undoLast } from './undo.js';

const offKey = 'gistdeal.keys.off';
const typing = 'input:not([type=checkbox], [type=radio]), textarea, select';
let off = false;
try {
  off = sessionStorage.getItem(offKey) === '1';
} catch {
  // Storage is blocked. The setting lasts as long as the page.
}

function turnOff(value) {
  off = value;
  try {
    sessionStorage.setItem(offKey, value ? '1' : '');
  } catch {
    // As above.
  }
}

const shortcuts = [
  ['Ctrl+K', 'Go to a user, a gist, a deal or a view'], ['/', 'Search users'], ['j k o m', 'On New: next, previous, open, mark as read'], ['Alt+↑ Alt+↓', 'On Rules: move a rule up or down'], ['z', 'Undo the change that a message tells of'], ['?', 'Show this help'], ['Esc', 'Close a dialog or clear the search'],
  ['Tab', 'Move to the next control; with Shift, to the previous one'], ['Enter', 'Follow a link or press a button'], ['Space', 'Select a user'],
];

export function showHelp() {
  const box = el('input', { type: 'checkbox', checked: !off, onchange: () => turnOff(!box.checked) });
  const help = dialog('Keyboard and terms',
    el('table', { className: 'keys' }, el('tbody', {}, shortcuts.map(([key, action]) => el('tr', {}, el('th', { scope: 'row' }, el('kbd', {}, key)), el('td', {}, action))))),
    el('label', { className: 'option' }, box, 'Enable the keys /, z and ?'),
    el('p', {}, 'A scan reads the gists of one user. Each public gist gets exactly one deal in Pipedrive: it is queued, sent and then created. Deals that Pipedrive rejects are listed under Failures.'),
    el('p', {}, 'For developers: ', el('a', { href: '#/api', onclick: () => help.close() }, 'API reference'), '.'));
}

function search() {
  const field = document.getElementById('search');
  if (field) {
    field.focus();
    field.select();
    return;
  }
  location.hash = '#/users?focus=search';
}

// keyboard starts the shortcuts. may tells whether the visitor may change anything.
export function keyboard(may) {
  $('help').onclick = showHelp;
  $('find').onclick = () => openPalette(may());
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      if (!$('nav').hidden) openPalette(may());
      return;
    }
    if (off || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') || event.target.closest?.(typing)) return;
    if (event.key === '/') search();
    else if (event.key === 'z') undoLast();
    else if (event.key === '?') showHelp();
    else return;
    event.preventDefault();
  });
}
