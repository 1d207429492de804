// Deals of all users by state: the lists behind the counts of the overview.

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
    const [{ deals: counts }, { deals: part, next }] = await Promise.all([api.overview(page.signal), api.deals({ state: only, cursor }, page.signal)]);
    const rows = part.map((deal) => row(asGist(deal), { may: page.may, login: deal.login, changed: read }));
    if (cursor) list.append(...rows);
    else list.replaceChildren(...rows);
    if (cursor) rows[0]?.querySelector('a')?.focus();
    rest.replaceChildren(...[more(next, () => read(next))].filter(Boolean));
    page.show(dealChips(counts, only, href), only && el('p', { className: 'quiet' }, dealStates[only]?.means ?? ''), list.childElementCount
      ? list
      : empty('created', 'No deals', only ? 'No deals are in this state.' : 'Deals appear here once you track a user.'), rest);
  };
  return page.keep(() => read());
}

// asGist converts a listed deal to a gist with its deal.
export const asGist = (deal) => ({
  ...deal, id: deal.gist_id, url: deal.login ? `https://gist.github.com/${encodeURIComponent(deal.login)}/${encodeURIComponent(deal.gist_id)}` : '',
});
