// Creates elements. Text is always inserted as text, never as markup.

const svgSpace = 'http://www.w3.org/2000/svg';

export const $ = (id) => document.getElementById(id);

// el creates an element with the properties of props. Its entry data sets data-
// attributes, and attrs sets other attributes. Empty children are left out.
export function el(tag, props = {}, ...children) {
  const { data, attrs, ...rest } = props;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(attrs ?? {})) element.setAttribute(name, value);
  element.append(...present(children));
  return element;
}

// svg creates an element of a drawing.
export function svg(tag, attrs = {}, ...children) {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, value);
  element.append(...present(children));
  return element;
}

export const present = (children) => children.flat(Infinity).filter((child) => child || child === 0);

// icon shows a drawing of index.html. Always put text beside it.
export const icon = (name) =>
  svg('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' }, svg('use', { href: `#icon-${name}` }));

// outside links to another site in a new tab, so that the page keeps its state. An
// address that is not http or https is shown as text.
export function outside(address, text, props = {}) {
  if (!/^https?:\/\//i.test(address)) return el('span', { dir: 'auto', ...props }, text);
  return el('a', { dir: 'auto', href: address, target: '_blank', rel: 'noopener noreferrer', ...props }, text);
}

// button creates a button that calls run, and ignores clicks until run is done.
export function button(text, run, { kind = '', mark = '', ...props } = {}) {
  const created = el('button', { type: 'button', className: kind, ...props }, mark && icon(mark), el('span', {}, text));
  created.onclick = async (event) => {
    if (created.ariaBusy === 'true') return;
    created.ariaBusy = 'true';
    try {
      await run(event);
    } finally {
      created.ariaBusy = null;
    }
  };
  return created;
}

// spoken is text for screen readers only.
export const spoken = (text) => el('span', { className: 'spoken' }, text);

// keyed replaces the children of a list, except for unchanged ones, which stay in place: one
// of them may have the focus, and there may be thousands.
export function keyed(list, items, key, draw) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const after = items.map((item) => {
    const old = before.get(String(key(item)));
    if (old?.item === item) return old;
    const text = JSON.stringify(item);
    const child = old?.drawn === text ? old : draw(item);
    child.dataset.key = key(item);
    return Object.assign(child, { item, drawn: text });
  });
  const kept = new Set(after);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  let place = list.firstElementChild;
  for (const child of after) {
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
}

const inPart = 100;

// parted is keyed for a list that may be very long: in parts, of which the browser lays out
// only those in sight.
export function parted(list, items, key, draw, create = () => el('ul', { className: 'part' })) {
  const parts = [...list.querySelectorAll(':scope > .part')];
  for (const part of parts.splice(Math.ceil(items.length / inPart))) part.remove();
  while (parts.length * inPart < items.length) parts.push(list.appendChild(create()));
  parts.forEach((part, i) => keyed(part, items.slice(i * inPart, (i + 1) * inPart), key, draw));
}

// renew redraws a part if its data has changed.
export function renew(part, data, draw) {
  const text = JSON.stringify(data);
  if (part.drawn === text) return;
  part.drawn = text;
  part.replaceChildren(...present([draw()]));
}
