// Shows the view named after # in the address, so that reload and back work:
// #/users?state=paused.

import * as api from './api.js';
import { activity } from './activity.js';
import { deals } from './deals.js';
import { $, el } from './dom.js';
import { failures } from './failures.js';
import { keyboard } from './keys.js';
import * as live from './live.js';
import { overview } from './overview.js';
import { quotas } from './quotas.js';
import { adding } from './adding.js';
import { age, loading, toast, trouble } from './parts.js';
import { reference } from './reference.js';
import { settings } from './settings.js';
import { signIn } from './signin.js';
import { user } from './user.js';
import { users } from './users.js';

const views = { overview, users, add: adding, deals, activity, failures, quotas, settings, api: reference };
const inNavigation = { add: 'users', user: 'users', deals: 'overview' };
const ageEvery = 15_000; // ms
const retryEvery = 10_000;

let leaving = new AbortController(); // ends the view that is shown
let scope = 'read';

// Page is the place of a view.
class Page {
  constructor(root, query, login, again = false) {
    Object.assign(this, { root, query, login, again, signal: leaving.signal, may: scope !== 'read', admin: scope === 'admin' });
  }

  // head shows the view's title, with what can be done beside it.
  head(title, ...beside) {
    document.title = `${title} · gistdeal`;
    const heading = el('h1', { tabIndex: -1 }, title);
    this.root.replaceChildren(el('div', { className: 'head' }, heading, ...beside));
    this.body = el('div', { className: 'body' }, loading());
    this.root.append(this.body);
  }

  // show replaces what is below the head.
  show(...children) {
    this.shown = true;
    this.body.replaceChildren(...children.filter(Boolean));
  }

  // keep reads now, and whenever events may have been missed. The view stays while
  // it cannot be read again.
  keep(read) {
    const now = async () => {
      clearTimeout(this.timer);
      if (this.broken) { // An error has replaced the view.
        route();
        return;
      }
      try {
        await read();
        this.complete = true;
        stale('');
      } catch (problem) {
        if (!this.signal.aborted) this.fail(problem, now);
      }
    };
    live.follow({ anew: now }, this.signal);
    this.signal.addEventListener('abort', () => clearTimeout(this.timer));
    return now();
  }

  fail(problem, again) {
    if (!(problem instanceof api.Problem)) console.error(problem);
    if (problem.status === 401) {
      begin();
      return;
    }
    const passing = [0, 429, 502, 503, 504].includes(problem.status);
    if (passing) this.timer = setTimeout(again, Math.max(retryEvery, (problem.retryAfter || 0) * 1000));
    if (this.complete && passing) stale(`${problem.title}: this view may be out of date.`);
    else {
      this.broken = true;
      this.body.replaceChildren(trouble(problem, again));
    }
  }
}

// stale shows that the view may be out of date.
function stale(text) {
  if ($('stale-text').textContent !== text) $('stale-text').textContent = text;
  $('stale').hidden = !text;
}

function route() {
  const text = location.hash.replace(/^#/, '');
  if (text && !text.startsWith('/')) { // The address of a user's gists as it was before.
    location.replace(`#/users/${text}`);
    return;
  }
  const [path, query] = text.split('?');
  const [, name = '', login] = path.split('/');
  show(login && name === 'users' ? 'user' : views[name] ? name : 'overview', new URLSearchParams(query), plain(login ?? ''));
}

function plain(text) {
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
  const active = document.activeElement;
  const narrowed = place === shownName && $('view').contains(active) ? active.dataset : null;
  const page = new Page($('view'), query, login, place === shownName);
  const ready = (name === 'user' ? user : views[name])(page);
  if (narrowed) refocus(ready, narrowed, page.signal);
  else if (shownName && !page.root.contains(document.activeElement)) page.root.querySelector('h1').focus();
  if (place !== shownName) scrollTo(0, 0);
  shownName = place;
}

// refocus gives the focus back to the link that narrowed the list, once it is there again.
async function refocus(ready, { only, state }, signal) {
  await ready;
  const name = only !== undefined ? 'only' : 'state';
  const same = [...$('view').querySelectorAll(`a[data-${name}]`)].find((a) => a.dataset[name] === (only ?? state));
  if (!signal.aborted && document.activeElement === document.body) (same ?? $('view').querySelector('h1')).focus();
}

// begin reads the identity of the browser, and shows the page or asks for a token.
async function begin() {
  leaving.abort();
  leaving = new AbortController();
  try {
    const me = await api.me();
    scope = me.scope;
    $('who').textContent = me.name && me.name !== 'everybody' ? me.name : '';
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
        begin();
      }));
    } else {
      page.fail(problem, begin);
    }
  }
}

$('leave').onclick = async () => {
  await api.signOut();
  toast('Signed out');
  begin();
};
$('skip').onclick = () => $('view').querySelector('h1')?.focus();
window.addEventListener('hashchange', route);
live.follow({
  link: (on) => {
    $('live').dataset.on = String(on);
    $('live-text').textContent = on ? 'Live' : 'Reconnecting';
  },
});
setInterval(age, ageEvery);
keyboard();
live.start();
begin();
