// The second script, which is loaded when it is first needed. It shares the modules of this
// one, so that none exists twice.

import * as account from './account.js';
import * as api from './api.js';
import * as dom from './dom.js';
import * as operations from './operations.js';
import * as parts from './parts.js';
import * as undo from './undo.js';
import * as words from './words.js';

let loaded = null;
let tries = 0;

// later returns the exports of rare.js.
export function later() {
  loaded ??= load().catch(() => {
    loaded = null;
    throw new api.Problem(0, 'Can’t load this view', 'Check that gistdeal is running and that your network can reach it.');
  });
  return loaded;
}

async function load() {
  // Some browsers remember that an address could not be loaded.
  const again = tries ? `?${tries}` : '';
  tries += 1;
  const script = await import(`./${document.querySelector('script[data-later]').dataset.later}${again}`);
  return script.load({ account, api, dom, operations, parts, undo, words });
}
