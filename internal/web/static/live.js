// Follows what happens. Listeners are told of deals as they come, and to read
// everything anew after whatever may have been missed: a cut, a hidden tab.

import * as api from './api.js';

const again = 8_000; // ms until the next try where the browser gives up, as without a right to listen
const listeners = new Set();
let source = null;
let timer = 0;
let missed = false; // something may have happened that was not told
let connected = null;

// follow calls deals(events) and anew() until the signal aborts.
export function follow({ deals = () => {}, anew = () => {}, link = () => {} }, signal) {
  const listener = { deals, anew, link };
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
  if (connected !== null) link(connected);
}

const tell = (what, ...given) => [...listeners].forEach((listener) => listener[what](...given));

function linked(on) {
  if (on !== connected) tell('link', on);
  connected = on;
}

// start follows from now on; a hidden tab does not: browsers allow six
// connections to a server, and each tab would hold one.
export function start() {
  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : open()));
  if (!document.hidden) open();
}

function stop() {
  clearTimeout(timer);
  source?.close();
  source = null;
  missed = true;
}

function open() {
  clearTimeout(timer);
  source?.close();
  source = api.stream();
  source.addEventListener('open', () => {
    linked(true);
    if (missed) tell('anew');
    missed = false;
  });
  source.addEventListener('deals', ({ data }) => tell('deals', JSON.parse(data).deals));
  source.addEventListener('error', () => {
    missed = true;
    linked(false);
    if (source.readyState !== EventSource.CLOSED) return; // The browser tries again.
    timer = setTimeout(() => {
      tell('anew');
      open();
    }, again);
  });
}

// restart begins anew, as somebody else perhaps.
export function restart() {
  missed = true;
  open();
}
