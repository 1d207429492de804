// Decides what is shown: which user, from which answer, and when to ask again.
// The user's login is the page's fragment, so that reload and back work.

import * as api from './api.js';
import * as view from './view.js';

const { $ } = view;
const healthEvery = 30; // seconds, like all here
const refreshAtLeast = 3;
const refreshAtMost = 60;

// Timer does one thing later. It does nothing in a hidden tab; what has become
// due there is done when the tab is seen again.
class Timer {
  constructor() {
    document.addEventListener('visibilitychange', () => this.arm());
  }

  set(seconds, run) {
    this.run = run;
    this.due = Date.now() + Math.min(seconds, 86_400) * 1000;
    this.arm();
  }

  arm() {
    clearTimeout(this.timer);
    if (!this.run || document.hidden) return;
    this.timer = setTimeout(() => {
      const { run } = this;
      this.run = null;
      run?.();
    }, this.due - Date.now());
  }
}

const next = new Timer(); // the next question about the user that is looked at
const healthTimer = new Timer();
let looking = new AbortController(); // ends the questions about the user looked at before
let wanted = { login: '', track: false }; // what was asked for last
let shown = null; // {login, fresh, seen, byID, only}: the last answer with gists
let tracked = null; // promise of the tracked users' logins, or of the problem with reading them

// show shows a user's gists, which is a visit. Without track a user who is not
// tracked yet is only offered: a link on some other site may lead here, and
// following it must not make deals. With again the page says already what goes on.
async function show(login, track = false, again = false) {
  looking.abort();
  looking = new AbortController();
  const { signal } = looking;
  next.run = null;
  wanted = { login, track };
  document.title = login ? `${login} · gistdeal` : 'gistdeal';
  $('login').ariaInvalid = 'false';
  view.mark(login);
  if (!login) {
    view.status('idle', 'Whose gists?', 'Type a GitHub login above, or choose a tracked user.');
    view.stage();
    return;
  }
  if (!again) view.status('busy', `Reading ${login}’s gists …`, 'The first reading of many gists takes some seconds.');
  view.stage(shown?.login.toLowerCase() === login.toLowerCase() ? 'gists' : 'loading');
  try {
    if (track || (await isTracked(login))) {
      answered(login, await api.user(login, signal));
    } else if (!signal.aborted) {
      $('track').textContent = `Track ${login}`;
      view.status('idle', `${login} is not tracked yet.`, 'Tracking makes one deal in Pipedrive for each public gist, now and later.');
      view.stage('', 'track');
    }
  } catch (problem) {
    if (!signal.aborted) fail(problem);
  }
}

async function isTracked(login) {
  const logins = await tracked;
  if (!Array.isArray(logins)) throw logins;
  return logins.some((l) => l.toLowerCase() === login.toLowerCase());
}

// answered shows an answer, or asks again if the user's first scan goes on.
function answered(login, { fresh, seen, scanning, retryAfter }) {
  readUsers();
  if (scanning) {
    const wait = retryAfter || 5;
    view.status('scanning', `${login} is tracked: the first reading goes on.`, `The gists appear here by themselves; the page asks again ${view.until(wait)}.`);
    next.set(wait, () => show(login, true, true));
    return;
  }
  const all = [...fresh, ...seen];
  for (const gists of [fresh, seen]) gists.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  shown = { login: all[0]?.username ?? login, fresh, seen, byID: new Map(all.map((g) => [g.id, g])), only: '' };
  summarize();
  draw();
  view.stage(all.length ? 'gists' : '');
  follow(login);
}

// fail says what went wrong and what to do about it; part is still worth showing.
function fail(problem, part = '') {
  if (!(problem instanceof api.Problem)) console.error(problem);
  const { status, title = 'The page failed', message, retryAfter, requestID } = problem;
  const id = requestID && `Request ${requestID}`;
  if (status === 401) {
    view.status('error', api.token() ? 'This API token is refused' : 'An API token is needed', 'Ask whoever runs gistdeal for one.', id);
    view.stage(part, 'auth');
    $('token').focus();
    return;
  }
  const wrongLogin = status === 400 || status === 404;
  const todo = retryAfter ? `The page asks again ${view.until(retryAfter)}.` : wrongLogin ? 'Check the spelling of the login.' : '';
  view.status('error', wrongLogin ? `No gists of “${wanted.login}”` : title, message === title ? '' : message, todo, id);
  view.stage(part, wrongLogin || status === 403 ? '' : 'retry');
  $('login').ariaInvalid = String(wrongLogin);
  if (wrongLogin) $('login').focus();
  if (retryAfter) next.set(retryAfter, start);
}

// draw shows the gists of the chosen state, or all.
function draw() {
  const { fresh, seen, only, login } = shown;
  const some = (gists) => (only ? gists.filter((g) => g.deal.state === only) : gists);
  view.gists('new', some(fresh), only ? 'None of these.' : 'Nothing new since the last look.');
  view.gists('old', some(seen), only ? 'None of these.' : `This is the first look at ${login}’s gists.`);
  drawCounts();
}

function drawCounts() {
  view.counts(states(), shown.only, (state) => {
    shown.only = state === shown.only ? '' : state;
    draw();
  });
}

function states() {
  const byState = {};
  for (const { deal } of shown.byID.values()) byState[deal.state] = (byState[deal.state] ?? 0) + 1;
  return byState;
}

const underWay = () => [...shown.byID.values()].some(({ deal }) => ['found', 'sending'].includes(deal.state));

// summarize says what is shown; trouble, if any, why it may be out of date.
function summarize(trouble = '') {
  const { login, fresh, seen, byID } = shown;
  let text = `${login}: ${view.count(fresh.length, 'new gist')}, ${view.count(seen.length, 'gist')} seen before`;
  let line = underWay() ? 'Deals are under way; the page follows them.' : 'No deal is under way.';
  if (byID.size === 0) {
    text = `${login} has no public gists yet.`;
    line = 'gistdeal keeps looking, and makes a deal for each that comes.';
  }
  view.status('done', text, trouble || line);
}

// follow looks at deals under way until none is: soon while they change, seldom
// while they rest or the server is in trouble, and seldom for a very long list.
function follow(login, wait = 0) {
  if (!underWay()) return;
  const { signal } = looking;
  const pause = Math.max(wait, refreshAtLeast, shown.byID.size / 250);
  next.set(pause, async () => {
    try {
      const changed = refresh(await api.user(login, signal, true));
      summarize();
      follow(login, changed ? 0 : Math.min(pause * 1.5, refreshAtMost));
    } catch (problem) {
      if (signal.aborted) return;
      if ([401, 403, 404].includes(problem.status)) {
        fail(problem, 'gists');
        return;
      }
      const later = Math.max(problem.retryAfter ?? 0, Math.min(pause * 2, refreshAtMost));
      summarize(`This may be out of date: ${problem.title}. The page asks again ${view.until(later)}.`);
      follow(login, later);
    }
  });
}

// refresh takes over the deals of an answer and reports whether any changed.
// Gists stay where they are, and those noticed meanwhile wait for the next
// visit, so that nothing moves under the reader.
function refresh({ fresh, seen }) {
  let changed = false;
  for (const gist of [...fresh, ...seen]) {
    const known = shown.byID.get(gist.id);
    if (!known || JSON.stringify(known.deal) === JSON.stringify(gist.deal)) continue;
    known.deal = gist.deal;
    view.redraw(known);
    changed = true;
  }
  if (changed) drawCounts();
  return changed;
}

async function readUsers() {
  tracked = api.users().catch((problem) => problem);
  const logins = await tracked;
  if (Array.isArray(logins)) {
    view.users(logins, 'Nobody yet: type the first login above.');
    return;
  }
  view.users([], logins.status === 401 ? 'They are shown to those who have an API token.' : `They cannot be read: ${logins.message}`);
  if (logins.status === 401 && !wanted.login) fail(logins);
}

async function readHealth() {
  try {
    const { status, details: { pushes = '', github = '', demo = false } = {} } = await api.health();
    const said = [];
    if (status !== 'ready') said.push(`gistdeal is not ready: ${status}`);
    if (pushes.startsWith('paused')) said.push(`Making deals is ${pushes}`);
    if (github.startsWith('paused')) said.push(`Reading GitHub is ${github}`);
    view.health(said.join(' · '));
    $('demo').hidden = !demo;
  } catch (problem) {
    view.health(problem.title ?? problem.message);
  }
  healthTimer.set(healthEvery, readHealth);
}

function start() {
  readUsers();
  readHealth();
  show(wanted.login, wanted.track);
}

function loginInURL() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}

function visit() {
  $('login').value = loginInURL();
  show(loginInURL());
}

function submit(event) {
  event.preventDefault();
  const login = $('login').value.trim();
  if (!login) return;
  // pushState, unlike a new hash, makes no event: show runs once, and tracks.
  if (login !== loginInURL()) history.pushState(null, '', `#${encodeURIComponent(login)}`);
  show(login, true);
}

window.addEventListener('hashchange', visit);
$('ask').onsubmit = submit;
$('users').onclick = ({ target }) => {
  if (target.hash === location.hash) visit(); // No event tells of the same hash.
};
$('track').onclick = () => show(wanted.login, true);
$('retry').onclick = start;
$('auth').onsubmit = (event) => {
  event.preventDefault();
  api.setToken($('token').value);
  $('token').value = '';
  start();
};
$('login').value = wanted.login = loginInURL();
start();
