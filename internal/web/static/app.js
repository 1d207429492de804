// The router. The fragment of the address names the view, so that reload and
// back work: #/users?state=paused.

import * as api from './api.js';
import { activity } from './activity.js';
import { deals } from './deals.js';
import { $, el, renew, spoken } from './dom.js';
import { failures } from './failures.js';
import { keyboard } from './keys.js';
import { later } from './later.js';
import * as live from './live.js';
import { overview } from './overview.js';
import { adding } from './adding.js';
import { age, loading, toast, trouble, when } from './parts.js';
import { pauseNote } from './pause.js';
import * as heart from './pulse.js';
import { fresh } from './new.js';
import { operation, operations } from './operations.js';
import { quotas } from './quotas.js';
import { signIn } from './signin.js';
import { startTheme } from './theme.js';
import { forgetUndo } from './undo.js';
import { user } from './user.js';
import { users } from './users.js';
import { count } from './words.js';

const views = { overview, new: fresh, users, operations, add: adding, deals, activity, failures, quotas };
// These are loaded when one of them is first visited: few people do, and rarely.
const rare = { settings: 'Settings', audit: 'Audit log', webhooks: 'Webhooks and notices', rules: 'Rules', erase: 'Erase a person', api: 'API' };
for (const [name, title] of Object.entries(rare)) views[name] = (page) => visit(page, name, title);
const inNavigation = { add: 'users', user: 'users', audit: 'settings', webhooks: 'settings', rules: 'settings', erase: 'settings', operations: 'users', operation: 'users' };
const ofOne = { users: 'user', operations: 'operation' }; // the view of one of a list
const singles = { user, operation };
const ageEvery = 15_000; // ms
const retryEvery = 10_000;
const rememberAfter = 200;

let leaving = new AbortController(); // aborts the current view
let me = { name: '', scope: 'read' };

// Page is the place where a view is shown, with the caller's permissions.
class Page {
  constructor(root, query, login, again = false) {
    Object.assign(this, { root, query, login, again, signal: leaving.signal, me, may: me.scope !== 'read', admin: me.scope === 'admin' });
    this.restored = history.state ?? { rows: 0, y: 0 }; // where the visitor was when they left the view
  }

  // head shows the title of the view, with its actions beside it.
  head(title, ...beside) {
    document.title = `${title} · gistdeal`;
    const heading = el('h1', { tabIndex: -1 }, title);
    const focused = document.activeElement?.tagName === 'H1';
    this.root.replaceChildren(el('div', { className: 'head' }, heading, ...beside));
    this.body = el('div', { className: 'body' }, loading());
    this.root.append(this.body);
    if (focused) heading.focus();
  }

  // show replaces the content below the head.
  show(...children) {
    this.shown = true;
    $('foot').hidden = false;
    this.body.replaceChildren(...children.filter(Boolean));
  }

  // keep calls read now, and again whenever events may have been missed. Until
  // read succeeds again, the page keeps its content.
  keep(read) {
    const now = async () => {
      clearTimeout(this.timer);
      if (this.broken) { // The error replaced the content of the view.
        route();
        return;
      }
      try {
        await read();
        if (!this.loaded && this.restored.y) scrollTo(0, this.restored.y);
        this.succeeded();
      } catch (problem) {
        if (!this.signal.aborted) this.fail(problem, now);
      }
    };
    this.poll = async () => {
      if (!this.loaded) return;
      try {
        await read();
        if (!this.signal.aborted) this.succeeded();
      } catch (problem) {
        if (this.signal.aborted) return;
        this.missed = problem instanceof api.Problem ? problem : new api.Problem(0, 'Something went wrong on this page', '');
        stale();
      }
    };
    live.follow({ refresh: now }, this.signal);
    this.signal.addEventListener('abort', () => clearTimeout(this.timer));
    return now();
  }

  // poll reads the view again, now and then. It is out of date while that fails.
  async poll() {}

  // asOf is the time since which the page is out of date, 0 while it is not. A view that says
  // more than it shows about the time sets doubted, which is called when that changes.
  get asOf() {
    return heart.pulse.problem ? heart.pulse.at : this.missed ? this.loaded : 0;
  }

  succeeded() {
    this.loaded = Date.now();
    this.missed = null;
    stale();
  }

  fail(problem, again) {
    if (!(problem instanceof api.Problem)) console.error(problem);
    if (problem.status === 401) {
      identify();
      return;
    }
    const temporary = [0, 429, 502, 503, 504].includes(problem.status);
    if (temporary) this.timer = setTimeout(again, Math.max(retryEvery, (problem.retryAfter || 0) * 1000));
    if (this.loaded && temporary) {
      this.missed = problem;
      stale();
      heart.check();
    } else {
      this.broken = true;
      this.body.replaceChildren(trouble(problem, again));
      $('foot').hidden = false;
    }
  }
}

// visit shows a view of rare.
async function visit(page, name, title) {
  page.head(title);
  try {
    const { views: loaded } = await later();
    if (!page.signal.aborted) await loaded[name](page);
  } catch (problem) {
    if (!page.signal.aborted) page.fail(problem, route);
  }
}

let shown = null; // the page that is shown

// stale warns that the page is out of date, and since when: because the state of gistdeal
// or the data of the view cannot be read.
function stale() {
  const { pulse } = heart;
  const problem = pulse.problem ?? shown?.missed;
  const since = shown ? shown.asOf : pulse.problem && pulse.at;
  shown?.doubted?.();
  renew($('stale-text'), problem && since && [problem.title, since], () => problem && since && [
    el('span', { className: 'strong' }, `${problem.title.replace(/(\. Retrying)?…$/, '')}. `), 'This page is as of ', el('span', {}, clock(since), ', '), when(new Date(since).toISOString()), '. Retrying…',
  ]);
  $('stale').hidden = !(problem && since);
  const on = !problem && linked;
  $('live').dataset.on = String(on);
  const text = on ? 'Live' : problem && since ? 'Out of date' : pulse.at ? 'Reconnecting…' : 'Connecting…';
  if ($('live-text').textContent !== text) $('live-text').textContent = text;
}

const clock = (time) => new Date(time).toLocaleTimeString();

// glance shows the pause and the number of failures, which every view has.
function glance() {
  const { now, problem } = heart.pulse;
  if (problem?.status === 401 && shown?.loaded) identify();
  stale();
  if (!now) return;
  const failed = now.deals.failed ?? 0;
  renew($('failed'), failed, () => failed > 0 && [count(failed), spoken(' failed deals')]);
  renew($('paused'), [now.pushes, me.scope], () => now.pushes.paused && pauseNote(now.pushes, me.scope === 'admin', heart.check));
}

// remember keeps the place in the entry of the browser's history, for Back.
let remembering = 0;
function remember() {
  clearTimeout(remembering);
  if (shown?.loaded) history.replaceState({ y: scrollY, rows: shown.rows?.() ?? 0 }, '');
}

function route() {
  clearTimeout(remembering);
  const text = location.hash.replace(/^#/, '');
  if (text && !text.startsWith('/')) { // An address of an earlier version: #login.
    location.replace(`#/users/${text}`);
    return;
  }
  const [path, query] = text.split('?');
  const [, name = '', login] = path.split('/');
  show(login && ofOne[name] ? ofOne[name] : views[name] ? name : 'overview', new URLSearchParams(query), decode(login ?? ''));
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

let shownName = '';

function show(name, query, login) {
  leaving.abort();
  leaving = new AbortController();
  for (const link of $('nav').querySelectorAll('a')) link.ariaCurrent = link.dataset.view === (inNavigation[name] ?? name) ? 'page' : null;
  const place = `${name}/${login}`;
  const focused = document.activeElement;
  const filter = place === shownName && $('view').contains(focused) ? focused.dataset : null;
  const page = new Page($('view'), query, login, place === shownName);
  shown = page;
  stale();
  $('view').dataset.view = name;
  const current = $('nav').querySelector('[aria-current]'); // On a phone the row of views scrolls.
  if (current) $('nav').scrollLeft = current.offsetLeft - ($('nav').clientWidth - current.offsetWidth) / 2;
  const ready = (singles[name] ?? views[name])(page);
  if (filter) refocus(ready, filter, page.signal);
  else if (shownName && !page.root.contains(document.activeElement)) page.root.querySelector('h1').focus();
  if (place !== shownName) scrollTo(0, 0);
  shownName = place;
}

// refocus returns the focus to the filter link once the list is drawn again.
async function refocus(ready, { only, state }, signal) {
  await ready;
  const name = only !== undefined ? 'only' : 'state';
  const same = [...$('view').querySelectorAll(`a[data-${name}]`)].find((a) => a.dataset[name] === (only ?? state));
  if (!signal.aborted && document.activeElement === document.body) (same ?? $('view').querySelector('h1')).focus();
}

// identify reads the caller's token and shows the view, or the sign-in form.
async function identify() {
  leaving.abort();
  leaving = new AbortController();
  try {
    const [caller, demo] = await Promise.all([api.me(), api.demo().catch(() => false), heart.check()]);
    me = caller;
    $('token-holder').textContent = me.name;
    $('leave').hidden = !me.name;
    $('nav').hidden = false;
    $('demo').hidden = !demo;
    glance();
    route();
  } catch (problem) {
    const page = new Page($('view'), new URLSearchParams(), '');
    shown = null;
    stale();
    page.head(problem.status === 401 ? 'Sign in' : 'gistdeal');
    $('nav').hidden = problem.status === 401;
    if (problem.status === 401) {
      forgetUndo(); // The next visitor may be another one.
      page.show(signIn(() => {
        live.restart();
        identify();
      }));
    } else {
      page.fail(problem, identify);
    }
  }
}

$('leave').onclick = async () => {
  await api.signOut();
  toast('Signed out');
  identify();
};
$('skip').onclick = () => $('view').querySelector('h1')?.focus();
window.addEventListener('hashchange', route);
history.scrollRestoration = 'manual';
document.addEventListener('click', remember, true);
window.addEventListener('scroll', () => {
  clearTimeout(remembering);
  remembering = setTimeout(remember, rememberAfter);
}, { passive: true });
let linked = false; // with the stream of events
live.follow({
  link: (on) => {
    linked = on;
    stale();
  },
});
heart.follow(glance);
startTheme();
setInterval(age, ageEvery);
keyboard(() => me.scope !== 'read');
live.start();
identify();
