// Deals of all users by their state: the list behind the overview's counts.

import * as api from './api.js';
import { el } from './dom.js';
import { row } from './gist.js';
import { dealChips, empty, more } from './parts.js';
import { dealStates } from './words.js';

const href = (state) => `#/deals${state ? `?state=${state}` : ''}`;

export function deals(page) {
  const only = page.query.get('state') ?? '';
  page.head('Deals');
  const list = el('ul', { className: 'gists card', id: 'deals' });
  const rest = el('div');
  const read = async (cursor = '') => {
    const [{ deals: counts }, { deals: some, next }] = await Promise.all([api.overview(page.signal), api.deals({ state: only, cursor }, page.signal)]);
    const rows = some.map((deal) => row(asGist(deal), { may: page.may, login: deal.login, changed: read }));
    if (cursor) list.append(...rows);
    else list.replaceChildren(...rows);
    if (cursor) rows[0]?.querySelector('a')?.focus();
    rest.replaceChildren(...[more(next, () => read(next))].filter(Boolean));
    page.show(dealChips(counts, only, href), only && el('p', { className: 'quiet' }, dealStates[only]?.means ?? ''), list.childElementCount
      ? list
      : empty('created', 'No such deals', only ? 'No deal is in this state now.' : 'Deals appear here once a user is tracked.'), rest);
  };
  return page.keep(() => read());
}

// asGist gives a deal of a list the form of a gist with its deal.
export const asGist = (deal) => ({
  ...deal, id: deal.gist_id, url: deal.login ? `https://gist.github.com/${encodeURIComponent(deal.login)}/${encodeURIComponent(deal.gist_id)}` : '',
});
