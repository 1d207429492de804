// The event stream. Listeners receive deals as events arrive, and a refresh when
// events may have been missed: after a lost connection or in a hidden tab.

import * as api from './api.js';

const again = 8_000; // ms between tries once the browser gives up, for example after a 401
const listeners = new Set();
let source = null;
let timer = 0;
let missed = false; // events may have been missed
let connected = null;

// follow calls deals(events), refresh() and link(connected) until the signal aborts.
export function follow({ deals = () => {}, refresh = () => {}, link = () => {} }, signal) {
  const listener = { deals, refresh, link };
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
  if (connected !== null) link(connected);
}

const notify = (method, ...args) => [...listeners].forEach((listener) => listener[method](...args));

function linked(on) {
  if (on !== connected) notify('link', on);
  connected = on;
}

// start connects while the tab is visible. Browsers allow six connections per
// server, so hidden tabs keep none.
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
    if (missed) notify('refresh');
    missed = false;
  });
  source.addEventListener('deals', ({ data }) => notify('deals', JSON.parse(data).deals));
  source.addEventListener('error', () => {
    missed = true;
    linked(false);
    if (source.readyState !== EventSource.CLOSED) return; // The browser reconnects.
    timer = setTimeout(() => {
      notify('refresh');
      open();
    }, again);
  });
}

// restart reconnects, for example with another token.
export function restart() {
  missed = true;
  open();
}
