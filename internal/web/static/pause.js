// The pause of the creation of deals, and of scans.

import * as api from './api.js';
import { button, el } from './dom.js';
import { attempt, confirm, note, when } from './parts.js';

// pauseNote names the actor, the reason and the time of the pause, with a button that resumes.
export const pauseNote = ({ since, reason, by, scans }, admin, changed) => note('warn', 'pause',
  el('p', { dir: 'auto' }, el('span', { className: 'strong' }, scans ? 'Deals and scans are paused' : 'Deal creation is paused'), by && ` by ${by}`, ' since ', when(since), reason && `: ${reason}`),
  admin && button('Resume', () => resume(changed), { kind: 'small', mark: 'go', data: { act: 'resume-pushes' } }));

const resume = async (changed) => (await attempt(api.resumePushes, 'Deal creation resumed')) && changed();

// pauseButton asks for the reason, and whether scans pause too.
export const pauseButton = (changed) => button('Pause', async () => {
  const scans = el('input', { type: 'checkbox', id: 'pause-scans' });
  const text = await confirm('Pause deal creation?', 'New deals are queued until you resume. The pause survives restarts.', 'Pause', {
    label: 'Reason (optional)', more: el('label', { className: 'option' }, scans, el('span', {}, el('span', { className: 'strong' }, 'Pause scans too'), el('span', { className: 'quiet block' }, 'New gists are noticed only after you resume.'))),
  });
  if (text !== null && await attempt(() => api.pausePushes(text, scans.checked), scans.checked ? 'Deals and scans paused' : 'Deal creation paused')) await changed();
}, { mark: 'pause', data: { act: 'pause-pushes' } });
