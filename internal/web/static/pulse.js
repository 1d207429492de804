// The state at a glance, which every view shows a part of: pauses, failures, and whether
// the page is up to date at all. It is read every few seconds while the tab is visible.
// When it cannot be read, nothing on the page is certain.

import * as api from './api.js';
import * as live from './live.js';

const every = 5_000; // ms
const patience = 6_000; // Together with every, less than the 15 s after which a page must not seem live.
const settle = 1_000; // between an event and the next reading

// now is the last overview, at the time when it was read, and problem the reason why there
// is no newer one.
export const pulse = { now: null, at: 0, problem: null };

const listeners = new Set();
let timer = 0;
let reading = null;

// follow calls listener after each reading until the signal aborts.
export function follow(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
}

// check reads the state now.
export function check() {
  clearTimeout(timer);
  reading ??= read().finally(() => {
    reading = null;
    clearTimeout(timer);
    timer = setTimeout(check, Math.max(every, (pulse.problem?.retryAfter ?? 0) * 1000));
  });
  return reading;
}

async function read() {
  if (document.hidden && pulse.at) return;
  try {
    const now = await api.overview(AbortSignal.timeout(patience));
    Object.assign(pulse, { now, at: Date.now(), problem: null });
  } catch (problem) {
    pulse.problem = problem instanceof api.Problem ? problem : new api.Problem(0, 'gistdeal doesn’t answer', '');
  }
  for (const listener of [...listeners]) listener(pulse);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(check, settle);
}

live.follow({ deals: soon, link: check });
document.addEventListener('visibilitychange', () => document.hidden || check());
for (const change of ['online', 'offline']) window.addEventListener(change, check);
