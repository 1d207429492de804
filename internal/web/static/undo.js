// Undo: a message about a change, with a button that takes the change back. It stays until it
// is used or closed, or until the next change: nobody needs to hurry.

import { $, button, el, icon } from './dom.js';
import * as live from './live.js';
import { attempt } from './parts.js';

let shown = null; // the message, and where the focus was: { box, from }

// undoable tells of a change in a view. run takes it back, and done tells of that; changed reads
// the view again. A change that is not saved yet ends with its view.
export function undoable(page, text, run, { done, changed = () => {}, unsaved = false }) {
  forgetUndo();
  const undo = async () => {
    if ((await attempt(run, done)) === null) return;
    if (shown?.box === box) forgetUndo();
    if (page.signal.aborted) live.refresh();
    else await attempt(changed);
  };
  const box = el('div', { className: 'toast undo', data: { tone: 'good' } }, icon('created'), el('span', {}, text),
    button('Undo', undo, { kind: 'small', title: 'Undo ( z )', data: { act: 'undo' } }),
    button('', forgetUndo, { kind: 'plain small', mark: 'close', ariaLabel: 'Close this message' }));
  shown = { box, from: document.activeElement };
  box.addEventListener('focusin', ({ relatedTarget }) => {
    if (relatedTarget && !box.contains(relatedTarget)) shown.from = relatedTarget;
  });
  if (unsaved) page.signal.addEventListener('abort', () => shown?.box === box && forgetUndo());
  $('toasts').append(box);
}

// forgetUndo removes the message. The focus returns to its place before.
export function forgetUndo() {
  if (!shown) return;
  const { box, from } = shown;
  shown = null;
  const focused = box.contains(document.activeElement);
  box.remove();
  if (focused) (from?.isConnected && from !== document.body ? from : $('view').querySelector('h1'))?.focus();
}

// undoLast takes back the change that the message tells of, if there is one.
export const undoLast = () => shown?.box.querySelector('[data-act="undo"]').click();
