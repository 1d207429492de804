// The choice which existing gists of new users get a deal; the same wherever users are added.

import * as api from './api.js';
import { el } from './dom.js';

const options = {
  none: { word: 'New gists only', means: 'Existing gists are listed without a deal.', short: 'Creates one deal per new public gist.' },
  all: { word: 'All gists', means: 'A user with 1,000 gists gets 1,000 deals.', short: 'Creates one deal per public gist, now and in future.' },
  since: { word: 'Gists created since a date', means: 'Older gists are listed without a deal.', short: 'Creates one deal per public gist created since the date.' },
};

// configuredBackfill returns the setting that says which gists of new users get a deal, ''
// if it cannot be read.
export const configuredBackfill = () => api.settings()
  .then((answer) => answer?.settings.find(({ name }) => name === 'backfill')?.value ?? '')
  .catch(() => '');

const dateField = () => el('input', { type: 'date', name: 'since', ariaLabel: 'Since', hidden: true });

// backfillList is a short choice in one line. Its value is '' until the setting is known.
export function backfillList(changed) {
  const since = dateField();
  const list = el('select', { name: 'backfill', ariaLabel: 'Which gists get a deal?' }, Object.entries(options).map(([value, { word }]) => el('option', { value }, word)));
  let known = false;
  const value = () => (list.value === 'since' ? since.value : known ? list.value : '');
  list.onchange = () => {
    known = true;
    since.hidden = list.value !== 'since';
    since.required = !since.hidden;
    changed(options[list.value].short);
  };
  configuredBackfill().then((configured) => {
    if (!configured || known) return;
    list.value = options[configured] ? configured : 'since';
    if (list.value === 'since') since.value = configured;
    list.onchange();
  });
  return { parts: [list, since], value };
}

// backfillChoice is the choice with explanations.
export function backfillChoice() {
  const since = dateField();
  const set = el('fieldset', {}, el('legend', {}, 'Which gists get a deal?'),
    Object.entries(options).map(([value, { word, means }]) => el('label', { className: 'option' }, el('input', { type: 'radio', name: 'backfill', value, required: true }),
      el('span', {}, el('span', { className: 'strong' }, word), el('span', { className: 'quiet block' }, means)))), since);
  set.onchange = () => {
    since.required = set.querySelector('input:checked').value === 'since';
    since.hidden = !since.required;
  };
  // Until the setting is known, a person has to choose.
  configuredBackfill().then((value) => {
    if (!value || set.querySelector('input:checked')) return;
    const radio = set.querySelector(`input[value="${value}"]`) ?? set.querySelector('input[value="since"]');
    radio.checked = true;
    if (radio.value === 'since') since.value = value;
    set.onchange();
  });
  return set;
}
