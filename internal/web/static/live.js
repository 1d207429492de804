// The event stream. It goes on after the last event when the connection was lost or the
// tab was hidden for a short time. Listeners receive events as they arrive, and a refresh
// when events may have been missed, for example in a tab that was hidden for long.

import * as api from './api.js';

const resumed = 60_000; // ms of events that are read later rather than left out
const together = 100; // ms in which events are collected, because a scan causes hundreds at once
const again = 8_000; // ms between tries once the browser gives up, for example after a 401
const listeners = new Set();
let source = null;
let timer = 0;
let missed = false; // events may have been missed
let last = ''; // the id of the last event
let lost = 0; // when the stream ended; 0 while it is open
let waiting = []; // events that listeners do not know yet
let connected = null;

// outcomes are the outcomes of attempts that events tell.
const outcomes = { 'deal.created': 'created', 'deal.relinked': 'adopted', 'deal.failed': 'refused', 'deal.postponed': 'not_sent' };

// follow calls events(all), deals(those with the outcome of an attempt), refresh() and
// link(connected) until the signal aborts.
export function follow({ events = () => {}, deals = () => {}, refresh = () => {}, link = () => {} }, signal) {
  const listener = { events, deals, refresh, link };
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
  if (connected !== null) link(connected);
}

// renewing calls read every so many ms, in visible tabs, and settle ms after the returned
// function was called, until the signal aborts.
export function renewing(read, { settle, every, hidden = false }, signal) {
  let timer = 0;
  const soon = () => (timer ||= setTimeout(() => {
    timer = 0;
    read().catch(() => {}); // The next event or the timer tries again.
  }, settle));
  const each = setInterval(() => (document.hidden && !hidden) || soon(), every);
  signal.addEventListener('abort', () => { clearTimeout(timer); clearInterval(each); });
  return soon;
}

const notify = (method, ...args) => [...listeners].forEach((listener) => listener[method](...args));

// refresh lets the view read everything again.
export const refresh = () => notify('refresh');

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
  lost ||= Date.now();
}

// arrive collects an event for the listeners.
function arrive(event) {
  if (!waiting.length) setTimeout(tell, together);
  const outcome = event.adopted ? 'adopted' : outcomes[event.type];
  waiting.push({ ...event, ...(outcome && { outcome }) });
}

function tell() {
  const events = waiting;
  waiting = [];
  notify('events', events);
  const deals = events.filter(({ outcome }) => outcome);
  if (deals.length) notify('deals', deals);
}

function open() {
  clearTimeout(timer);
  source?.close();
  if (lost && Date.now() - lost > resumed) {
    last = '';
    missed = true;
  }
  source = api.stream(last);
  source.addEventListener('open', () => {
    lost = 0;
    linked(true);
    if (missed) notify('refresh');
    missed = false;
  });
  source.addEventListener('event', ({ data, lastEventId }) => {
    last = lastEventId;
    arrive(JSON.parse(data));
  });
  source.addEventListener('ping', ({ lastEventId }) => { last = lastEventId; });
  source.addEventListener('reset', ({ lastEventId }) => {
    last = lastEventId;
    notify('refresh');
  });
  source.addEventListener('error', () => {
    lost ||= Date.now();
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
