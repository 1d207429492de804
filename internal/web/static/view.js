// Draws. It knows the elements of index.html and decides nothing; all text gets
// in as text, never as markup.

export const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const filesShown = 8;

const stateWords = {
  held: 'Held for a yes',
  found: 'Found, deal to come',
  sending: 'Sending the deal',
  made: 'Deal made',
  failed: 'Deal failed',
  skipped: 'Skipped, no deal',
};

function el(tag, props = {}, ...children) {
  const { data, ...rest } = props;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(space, 'use'));
  svg.firstChild.setAttribute('href', `#icon-${name}`);
  return svg;
}

// link opens a new tab: leaving this one would end the visit, and what is new
// now is not new when one comes back. An address that is not of the web stays text.
function link(address, text, className = '') {
  if (!/^https?:\/\//i.test(address)) return el('span', { className, dir: 'auto' }, text);
  return el('a', { className, dir: 'auto', href: address, target: '_blank', rel: 'noopener noreferrer' }, text);
}

function fileName(rawURL) {
  const last = rawURL.slice(rawURL.lastIndexOf('/') + 1) || rawURL;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function filesOf(gist) {
  const links = (files) => el('div', { className: 'files' }, ...files.map((raw) => link(raw, fileName(raw))));
  const first = links(gist.files.slice(0, filesShown));
  const rest = gist.files.slice(filesShown);
  if (rest.length) first.append(el('details', {}, el('summary', {}, `${number.format(rest.length)} more`), links(rest)));
  return first;
}

function dealOf({ state, id, url, reason }) {
  const words = el('p', { className: 'state' }, icon(state), el('span', {}, stateWords[state] ?? state));
  if (id) words.lastChild.append(': ', link(url, `no. ${id}`));
  return reason ? [words, el('p', { className: 'reason', dir: 'auto' }, localTimes(reason))] : [words];
}

function row(gist) {
  const description = gist.description.trim();
  return el('li', { data: { gist: gist.id, state: gist.deal.state } },
    el('p', { className: 'title', title: description }, link(gist.url, description || 'untitled', description ? '' : 'untitled')),
    el('div', { className: 'deal' }, ...dealOf(gist.deal)),
    el('div', { className: 'about' }, el('time', { dateTime: gist.created_at }, dateTime.format(new Date(gist.created_at))), filesOf(gist)));
}

// redraw shows the present state of a gist's deal if its row is drawn.
export function redraw(gist) {
  const item = document.querySelector(`[data-gist="${CSS.escape(gist.id)}"]`);
  if (!item) return;
  item.dataset.state = gist.deal.state;
  item.querySelector('.deal').replaceChildren(...dealOf(gist.deal));
}

// Chunks fills a list bit by bit: thousands of items would stop the browser.
class Chunks {
  constructor(name, size, draw) {
    Object.assign(this, { list: $(name), more: $(`${name.split('-')[0]}-more`), size, draw });
    this.more.onclick = () => {
      const first = this.list.children.length;
      this.grow();
      if (this.more.hidden) this.list.children[first].querySelector('a')?.focus();
    };
  }

  show(items) {
    this.items = items;
    this.list.replaceChildren();
    this.grow();
  }

  grow() {
    const drawn = this.list.children.length;
    this.list.append(...this.items.slice(drawn, drawn + this.size).map(this.draw));
    const left = this.items.length - this.list.children.length;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${number.format(Math.min(left, this.size))} more of ${number.format(left)}`;
  }
}

const lists = { new: new Chunks('new-gists', 100, row), old: new Chunks('old-gists', 100, row) };
let marked = '';
const current = (login) => (login.toLowerCase() === marked ? 'true' : null);
const userList = new Chunks('users', 300, (login) =>
  el('li', {}, el('a', { href: `#${encodeURIComponent(login)}`, ariaCurrent: current(login), data: { login } }, login)));

// gists shows the gists of a part, new or old; note says why there are none.
export function gists(part, items, note) {
  lists[part].show(items);
  $(`${part}-count`).textContent = number.format(items.length);
  $(`${part}-note`).textContent = items.length ? '' : note;
}

// counts shows how many deals are in each state; a press shows only those.
export function counts(byState, chosen, pick) {
  const held = document.activeElement?.dataset.only;
  $('deals').replaceChildren(...Object.keys(stateWords).filter((s) => byState[s] || s === chosen).map((state) => {
    const button = el('button', { type: 'button', ariaPressed: String(state === chosen), data: { only: state } },
      icon(state), `${number.format(byState[state] ?? 0)} ${state}`);
    button.onclick = () => pick(state);
    return button;
  }));
  if (held) $('deals').querySelector(`[data-only="${held}"]`)?.focus();
}

// users shows the tracked users, or a note why there are none.
export function users(logins, note) {
  // Unchanged links are left alone: one of them may have the focus.
  if (logins.length && String(logins) === String(userList.items)) return;
  $('users-note').textContent = logins.length ? '' : note;
  $('users-count').textContent = logins.length ? number.format(logins.length) : '';
  userList.show(logins);
}

// mark shows which of the tracked users is looked at.
export function mark(login) {
  marked = login.toLowerCase();
  for (const a of $('users').querySelectorAll('a')) a.ariaCurrent = current(a.dataset.login);
}

// status says what goes on. Kinds: idle, busy, scanning, done, error.
export function status(kind, text, ...lines) {
  const box = $('status');
  const all = [text, ...lines].join('\n');
  if (box.dataset.kind === kind && box.dataset.all === all) return; // Or it would be read out again.
  Object.assign(box.dataset, { kind, all });
  box.replaceChildren(el('p', {}, text), ...lines.filter(Boolean).map((line) => el('p', { className: 'quiet' }, line)));
  if (kind === 'error') box.firstChild.prepend(icon('failed'));
}

// stage shows one of the parts loading and gists, or none, and one of the actions, or none.
export function stage(part = '', action = '') {
  for (const id of ['loading', 'gists']) $(id).hidden = id !== part;
  for (const child of $('actions').children) child.hidden = child.id !== action;
  $('results').ariaBusy = String(part === 'loading');
}

// localTimes puts the times in a text of the server into the reader's way of writing.
function localTimes(text) {
  return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => dateTime.format(new Date(time)));
}

// health shows a quiet line if there is something to say.
export function health(text) {
  const line = $('health');
  line.hidden = !text;
  // A line that is written again would be read out again.
  if (line.textContent !== localTimes(text)) line.replaceChildren(icon('held'), localTimes(text));
}

// until says when something is tried again.
export const until = (seconds) => (seconds < 60 ? `in ${Math.ceil(seconds)} s` : `at ${clock.format(Date.now() + seconds * 1000)}`);

export const count = (n, noun) => `${n ? number.format(n) : 'no'} ${noun}${n === 1 ? '' : 's'}`;
