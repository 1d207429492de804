// The keyboard: / searches, ? helps, Esc leaves.

import { $, el } from './dom.js';
import { dialog } from './parts.js';

const offKey = 'gistdeal.keys.off';
const typing = 'input:not([type=checkbox], [type=radio]), textarea, select';
let off = false;
try {
  off = sessionStorage.getItem(offKey) === '1';
} catch {
  // Storage is blocked: the setting lasts as long as the page.
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
  ['/', 'Search users'], ['?', 'This help'], ['Esc', 'Close a dialog, empty the search'],
  ['Tab', 'To the next thing; Shift goes back'], ['Enter', 'Follow a link, press a button'], ['Space', 'Select a user'],
];

export function help() {
  const box = el('input', { type: 'checkbox', checked: !off, onchange: () => turnOff(!box.checked) });
  const help = dialog('Keyboard and terms',
    el('table', { className: 'keys' }, el('tbody', {}, shortcuts.map(([key, does]) => el('tr', {}, el('th', { scope: 'row' }, el('kbd', {}, key)), el('td', {}, does))))),
    el('label', { className: 'option' }, box, 'Use the keys / and ?'),
    el('p', {}, 'A scan reads one user’s gists. Each public gist gets exactly one deal in Pipedrive: it is queued, sent and created. Refused deals are listed under Failures.'),
    el('p', {}, 'For programs: ', el('a', { href: '#/api', onclick: () => help.close() }, 'the API reference'), '.'));
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

export function keyboard() {
  $('help').onclick = help;
  document.addEventListener('keydown', (event) => {
    if (off || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') || event.target.closest?.(typing)) return;
    if (event.key === '/') search();
    else if (event.key === '?') help();
    else return;
    event.preventDefault();
  });
}
