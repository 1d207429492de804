// Terms with their icons, and numbers and times in the reader's locale.

const number = new Intl.NumberFormat();
const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const distance = new Intl.RelativeTimeFormat('en', { numeric: 'auto' }); // Its words stand in English sentences.

// dealStates are all states of a deal with their names and meanings.
export const dealStates = {
  created: { word: 'Deal created', few: 'created', tone: 'good', means: 'The deal exists in Pipedrive.' },
  sending: { word: 'Sending', few: 'sending', tone: 'info', means: 'Sent; its outcome is not known yet.' },
  queued: { word: 'Queued', few: 'queued', tone: 'warn', means: 'The deal waits for its turn.' },
  awaiting_approval: { word: 'Awaiting approval', few: 'awaiting approval', tone: 'warn', means: 'The first scan has more gists than the approval threshold.' },
  failed: { word: 'Failed', few: 'failed', tone: 'bad', means: 'Pipedrive refused this deal.' },
  skipped: { word: 'Skipped', few: 'skipped', tone: 'none', means: 'This gist gets no deal.' },
};

// userStates are all states of a user.
export const userStates = {
  active: { word: 'Active', tone: 'good', mark: 'created' },
  paused: { word: 'Paused', tone: 'warn', mark: 'pause' },
  gone: { word: 'Gone', tone: 'bad', mark: 'failed' },
  removed: { word: 'Removed', tone: 'none', mark: 'skipped' },
};

// outcomes are all ends of an attempt, with the state that the deal has then.
export const outcomes = {
  created: { word: 'Deal created', state: 'created' },
  adopted: { word: 'Adopted from Pipedrive', state: 'created' },
  refused: { word: 'Refused by Pipedrive', state: 'failed' },
  not_sent: { word: 'Not sent, queued again', state: 'queued' },
  not_found: { word: 'Not in Pipedrive, sent again', state: 'sending' },
};

// runKinds are all kinds of runs, with the unit that each counts.
export const runKinds = {
  sweep: { word: 'Scheduled scan', many: 'Sweeps', mark: 'again', unit: 'user', none: 'A sweep scans all users that are due.' },
  scan: { word: 'Scan', many: 'Scans', mark: 'users', unit: 'page', none: 'Requested scans are listed, and scheduled ones that had new gists, failed or took long.' },
  push: { word: 'Push', many: 'Pushes', mark: 'sending', unit: 'deal', none: 'A push creates deals until none is queued.' },
};

const quotaNames = {
  'pipedrive-day': { name: 'Pipedrive, today', unit: 'tokens', about: 'Each new deal takes some. The reserved part is never used.' },
  'pipedrive-writes': { name: 'Pipedrive, writes today', unit: 'writes', about: 'Deals and changes that the account may write per day.' },
  'github-hour': { name: 'GitHub, this hour', unit: 'requests', about: 'A scan takes one per 100 gists; a scan without news takes none.' },
};

export const quotaName = (name) => quotaNames[name] ?? { name, unit: '', about: '' };

export const count = (n) => number.format(n);
export const percent = (part) => share.format(part);
export const counted = (n, noun, nouns = `${noun}s`) => `${n ? number.format(n) : 'no'} ${n === 1 ? noun : nouns}`;
export const exactly = (time) => dateTime.format(new Date(time));
export const dayOf = (date) => day.format(new Date(date));

const units = [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]];

// span formats a duration: "3 minutes".
export function span(seconds) {
  const [unit, size] = units.find(([, s]) => seconds >= s) ?? units.at(-1);
  return seconds < 1 ? 'less than a second' : counted(Math.round(seconds / size), unit);
}

// ago formats a relative time: "3 minutes ago", "in 2 hours".
export function ago(time) {
  const seconds = (new Date(time) - Date.now()) / 1000;
  const [unit, size] = units.find(([, s]) => Math.abs(seconds) >= s) ?? units.at(-1);
  if (unit === 'second' && Math.abs(seconds) < 10) return seconds > 0 ? 'in a moment' : 'just now';
  return distance.format(Math.trunc(seconds / size), unit);
}

// localTimes puts the times in a text of the server into the reader's way of writing.
export const localTimes = (text) =>
  text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => exactly(time));

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// fileName is the last part of an address, as people write it.
export function fileName(file) {
  if (file.name) return file.name;
  const last = file.raw_url.slice(file.raw_url.lastIndexOf('/') + 1) || file.raw_url;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
