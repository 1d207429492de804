// The router. The fragment of the address names the view, so that reload and
// back work: #/users?state=paused.

import * as api from './api.js';
import { activity } from './activity.js';
import { deals } from './deals.js';
import { $, el } from './dom.js';
import { failures } from './failures.js';
import { keyboard } from './keys.js';
import * as live from './live.js';
import { overview } from './overview.js';
import { adding } from './adding.js';
import { audit } from './audit.js';
import { age, loading, toast, trouble } from './parts.js';
import { operation, operations } from './operations.js';
import { quotas } from './quotas.js';
import { reference } from './reference.js';
import { settings } from './settings.js';
import { signIn } from './signin.js';
import { user } from './user.js';
import { users } from './users.js';

const views = { overview, users, operations, add: adding, deals, activity, failures, quotas, settings, audit, api: reference };
const inNavigation = { add: 'users', user: 'users', deals: 'overview', audit: 'settings', operations: 'users', operation: 'users' };
const ofOne = { users: 'user', operations: 'operation' }; // the view of one of a list
const singles = { user, operation };
const ageEvery = 15_000; // ms
const retryEvery = 10_000;

let leaving = new AbortController(); // aborts the current view
let scope = 'read';

// Page is the place where a view is shown, with the caller's permissions.
class Page {
  constructor(root, query, login, again = false) {
    Object.assign(this, { root, query, login, again, signal: leaving.signal, may: scope !== 'read', admin: scope === 'admin' });
  }

  // head shows the title of the view, with its actions beside it.
  head(title, ...beside) {
    document.title = `${title} · gistdeal`;
    const heading = el('h1', { tabIndex: -1 }, title);
    this.root.replaceChildren(el('div', { className: 'head' }, heading, ...beside));
    this.body = el('div', { className: 'body' }, loading());
    this.root.append(this.body);
  }

  // show replaces the content below the head.
  show(...children) {
    this.shown = true;
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
        this.loaded = true;
        stale('');
      } catch (problem) {
        if (!this.signal.aborted) this.fail(problem, now);
      }
    };
    live.follow({ refresh: now }, this.signal);
    this.signal.addEventListener('abort', () => clearTimeout(this.timer));
    return now();
  }

  fail(problem, again) {
    if (!(problem instanceof api.Problem)) console.error(problem);
    if (problem.status === 401) {
      identify();
      return;
    }
    const temporary = [0, 429, 502, 503, 504].includes(problem.status);
    if (temporary) this.timer = setTimeout(again, Math.max(retryEvery, (problem.retryAfter || 0) * 1000));
    if (this.loaded && temporary) stale(`${problem.title.replace(/[^…]$/, '$&.')} This page may be out of date.`);
    else {
      this.broken = true;
      this.body.replaceChildren(trouble(problem, again));
    }
  }
}

// stale shows a warning that the page may be out of date; '' hides it.
function stale(text) {
  if ($('stale-text').textContent !== text) $('stale-text').textContent = text;
  $('stale').hidden = !text;
}

function route() {
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
  stale('');
  for (const link of $('nav').querySelectorAll('a')) link.ariaCurrent = link.dataset.view === (inNavigation[name] ?? name) ? 'page' : null;
  const place = `${name}/${login}`;
  const focused = document.activeElement;
  const filter = place === shownName && $('view').contains(focused) ? focused.dataset : null;
  const page = new Page($('view'), query, login, place === shownName);
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
    const me = await api.me();
    scope = me.scope;
    $('token-holder').textContent = me.name;
    $('leave').hidden = !me.name;
    $('nav').hidden = false;
    $('demo').hidden = !(await api.demo().catch(() => false));
    route();
  } catch (problem) {
    const page = new Page($('view'), new URLSearchParams(), '');
    page.head(problem.status === 401 ? 'Sign in' : 'gistdeal');
    $('nav').hidden = problem.status === 401;
    if (problem.status === 401) {
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
live.follow({
  link: (on) => {
    $('live').dataset.on = String(on);
    $('live-text').textContent = on ? 'Live' : 'Reconnecting…';
  },
});
setInterval(age, ageEvery);
keyboard();
live.start();
identify();
