// The three choices before the first deal: which existing gists get one, where deals go, and
// from how many on a person approves them.

import { el, renew } from './dom.js';
import { options } from './options.js';

const asked = ['backfill', 'pipeline', 'stage', 'owner', 'approval_threshold'];

// undecided reports whether none of the choices was stored, and one can be.
export const undecided = (all) => {
  const ours = all.filter(({ name }) => asked.includes(name));
  return ours.some((one) => !one.locked_by) && ours.every((one) => one.locked_by || one.value === one.default);
};

// choices draws the question into a part. done is called once a person has saved or skipped.
export function choices(part, page, all, pipelines, done) {
  if (part.contains(document.activeElement)) return; // Keep a form that is being filled in.
  renew(part, [all, pipelines], () => {
    const skip = el('button', { type: 'button', id: 'skip-choices', onclick: done }, 'Skip for now');
    return el('section', { className: 'card', id: 'choices' },
      el('h2', {}, 'Three choices before the first deal'),
      el('p', { className: 'quiet' }, 'Which gists get a deal, where deals go, and when a person approves them first. You can change all of it later in ', el('a', { href: '#/settings' }, 'Settings'), '.'),
      options(page, asked.map((name) => all.find((one) => one.name === name)).filter(Boolean), pipelines, done, { verb: 'Save and continue', beside: skip }));
  });
}
