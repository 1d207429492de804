// Makes elements. All text gets in as text, never as markup.

const svgSpace = 'http://www.w3.org/2000/svg';

export const $ = (id) => document.getElementById(id);

// el makes an element. props are the element's properties, but for data, which
// are data- attributes, and attrs. Children that are false or null are left out.
export function el(tag, props = {}, ...children) {
  const { data, attrs, ...rest } = props;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(attrs ?? {})) element.setAttribute(name, value);
  element.append(...present(children));
  return element;
}

// svg makes an element of a drawing.
export function svg(tag, attrs = {}, ...children) {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, value);
  element.append(...present(children));
  return element;
}

export const present = (children) => children.flat(Infinity).filter((child) => child || child === 0);

// icon shows one of the drawings of index.html; a word always stands beside it.
export const icon = (name) =>
  svg('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' }, svg('use', { href: `#icon-${name}` }));

// outside links to another site in a new tab, so that the page stays as it is. An
// address without http or https stays text.
export function outside(address, text, props = {}) {
  if (!/^https?:\/\//i.test(address)) return el('span', { dir: 'auto', ...props }, text);
  return el('a', { dir: 'auto', href: address, target: '_blank', rel: 'noopener noreferrer', ...props }, text);
}

// button makes a button that does something and cannot be pressed twice meanwhile.
export function button(text, run, { kind = '', mark = '', ...props } = {}) {
  const node = el('button', { type: 'button', className: kind, ...props }, mark && icon(mark), el('span', {}, text));
  node.onclick = async (event) => {
    if (node.ariaBusy === 'true') return;
    node.ariaBusy = 'true';
    try {
      await run(event);
    } finally {
      node.ariaBusy = null;
    }
  };
  return node;
}

// hidden is text for those who listen.
export const spoken = (text) => el('span', { className: 'spoken' }, text);

// keyed replaces the children of a list, but leaves alone those that are the
// same as before: one of them may have the focus or the reader's eye.
export function keyed(list, items, key, draw) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const after = items.map((item) => {
    const text = JSON.stringify(item);
    const old = before.get(String(key(item)));
    if (old && old.drawn === text) return old;
    const fresh = draw(item);
    fresh.dataset.key = key(item);
    fresh.drawn = text;
    return fresh;
  });
  if (after.length !== list.children.length || after.some((child, i) => list.children[i] !== child)) list.replaceChildren(...after);
}

// renew redraws a part only if its data has changed.
export function renew(part, told, draw) {
  const text = JSON.stringify(told);
  if (part.told === text) return;
  part.told = text;
  part.replaceChildren(...present([draw()]));
}
