// Follows the event stream. Listeners get deals as they change, and a call to read
// everything again after a gap: a lost connection, a hidden tab.

import * as api from './api.js';

const again = 8_000; // ms until the next try where the browser gives up, as without a right to listen
const listeners = new Set();
let source = null;
let timer = 0;
let missed = false; // events may have been missed
let connected = null;

// follow calls deals(events) and anew() until the signal aborts.
export function follow({ deals = () => {}, anew = () => {}, link = () => {} }, signal) {
  const listener = { deals, anew, link };
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
  if (connected !== null) link(connected);
}

const notify = (name, ...given) => [...listeners].forEach((listener) => listener[name](...given));

function linked(on) {
  if (on !== connected) notify('link', on);
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
    if (missed) notify('anew');
    missed = false;
  });
  source.addEventListener('deals', ({ data }) => notify('deals', JSON.parse(data).deals));
  source.addEventListener('error', () => {
    missed = true;
    linked(false);
    if (source.readyState !== EventSource.CLOSED) return; // The browser tries again.
    timer = setTimeout(() => {
      notify('anew');
      open();
    }, again);
  });
}

// restart begins anew, as somebody else perhaps.
export function restart() {
  missed = true;
  open();
}
