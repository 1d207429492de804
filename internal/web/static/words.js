// Terms with their icons, and numbers and times in the reader's locale.

const number = new Intl.NumberFormat();
const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const distance = new Intl.RelativeTimeFormat('en', { numeric: 'auto' }); // English, because the sentences around it are.

// dealStates are all states of a deal. few is the word in a count, means the explanation.
export const dealStates = {
  created: { word: 'Created', few: 'created', tone: 'good', means: 'The deal is in Pipedrive.' },
  sending: { word: 'Sending', few: 'sending', tone: 'info', means: 'The request was sent; gistdeal is confirming the result.' },
  queued: { word: 'Queued', few: 'queued', tone: 'warn', means: 'The deal will be created soon.' },
  awaiting_approval: { word: 'Awaiting approval', few: 'awaiting approval', tone: 'warn', means: 'The user has more new gists than a limit allows. Approve the deals to create them.' },
  failed: { word: 'Failed', few: 'failed', tone: 'bad', means: 'Pipedrive rejected this deal.' },
  skipped: { word: 'Skipped', few: 'skipped', tone: 'none', means: 'No deal will be created for this gist.' },
};

// userStates are all states of a user.
export const userStates = {
  active: { word: 'Active', tone: 'good', mark: 'created' },
  paused: { word: 'Paused', tone: 'warn', mark: 'pause' },
  gone: { word: 'Not on GitHub', tone: 'bad', mark: 'failed' },
  removed: { word: 'Removed', tone: 'none', mark: 'skipped' },
};

// outcomes are all outcomes of an attempt, with the state of the deal afterwards.
export const outcomes = {
  created: { word: 'Deal created', state: 'created' },
  adopted: { word: 'Deal found in Pipedrive', state: 'created' },
  refused: { word: 'Rejected by Pipedrive', state: 'failed' },
  not_sent: { word: 'Not sent, queued again', state: 'queued' },
  not_found: { word: 'Not found in Pipedrive, sending again', state: 'sending' },
};

// runKinds are all kinds of runs. unit is the noun of their progress, none the text of an empty list.
export const runKinds = {
  sweep: { word: 'Scheduled scan', many: 'Scheduled scans', mark: 'again', unit: 'user', none: 'A scheduled scan checks all users that are due.' },
  scan: { word: 'Scan', many: 'User scans', mark: 'users', unit: 'page', none: 'Requested scans appear here, and scheduled ones that found new gists, failed or were slow.' },
  push: { word: 'Deal creation', many: 'Deal creation', mark: 'sending', unit: 'deal', none: 'Each batch of new deals appears here.' },
};

// sources are the sources of changes in the audit log.
export const sources = { page: 'Page', api: 'API', command: 'Command', configuration: 'Configuration' };

const actions = {
  'user.add': { word: 'Track', mark: 'new' }, 'user.scan': { word: 'Scan', mark: 'again' }, 'user.pause': { word: 'Pause', mark: 'pause' },
  'user.resume': { word: 'Resume', mark: 'go' }, 'user.remove': { word: 'Remove', mark: 'skipped' }, 'user.erase': { word: 'Erase a person', mark: 'close' },
  'user.allow_again': { word: 'Allow tracking again of', mark: 'new' }, 'request.cancel': { word: 'Cancel requests', mark: 'close' }, 'operation.cancel': { word: 'Cancel bulk operation', mark: 'close' },
  'deals.approve': { word: 'Approve deals of', mark: 'created' }, 'deals.retry': { word: 'Retry deals', mark: 'again' }, 'deals.skip': { word: 'Skip deals', mark: 'skipped' },
  'audit.request': { word: 'Compare with Pipedrive', mark: 'again' }, 'pushes.pause': { word: 'Pause deal creation', mark: 'pause' }, 'pushes.resume': { word: 'Resume deal creation', mark: 'go' },
  'setting.change': { word: 'Change setting', mark: 'sending' }, 'token.add': { word: 'Create token', mark: 'new' }, 'token.change': { word: 'Change token', mark: 'sending' },
  'token.rotate': { word: 'Rotate token', mark: 'again' }, 'token.revoke': { word: 'Revoke token', mark: 'close' }, 'webhook.add': { word: 'Create webhook', mark: 'new' }, 'webhook.change': { word: 'Change webhook', mark: 'sending' },
  'webhook.delete': { word: 'Delete webhook', mark: 'close' }, 'webhook.rotate': { word: 'Rotate the secret of', mark: 'again' }, 'webhook.test': { word: 'Test webhook', mark: 'sending' },
  'webhook.redeliver': { word: 'Send messages again to', mark: 'again' }, 'person.sign_out': { word: 'Sign out everywhere', mark: 'close' }, 'person.forget': { word: 'Forget', mark: 'close' },
  'rules.change': { word: 'Change the rules', mark: 'sending' }, 'rules.apply': { word: 'Apply the rules again', mark: 'again' },
  'database.restore': { word: 'Restore backup', mark: 'users' }, login: { word: 'Sign in', mark: 'users' }, 'login.failed': { word: 'Failed sign-in', mark: 'failed' }, logout: { word: 'Sign out', mark: 'users' },
};

// actionOf is the word and the drawing of an action in the audit log.
export const actionOf = (name) => actions[name] ?? { word: name, mark: 'sending' };

const quotaNames = {
  'pipedrive-day': { name: 'Pipedrive, today', unit: 'tokens', about: 'Each new deal uses some. The reserved part is left for your team.' },
  'pipedrive-writes': { name: 'Pipedrive, writes today', unit: 'writes', about: 'Deals and changes that the account can write per day.' },
  'github-hour': { name: 'GitHub, this hour', unit: 'requests', about: 'A scan uses one per 100 gists, and none if nothing is new.' },
  'github-graphql-hour': { name: 'GitHub GraphQL, this hour', unit: 'points', about: 'One compares up to 100 users with GitHub.' },
};

export const quotaName = (name) => quotaNames[name] ?? { name, unit: '', about: '' };

export const count = (n) => number.format(n);
export const percent = (part) => share.format(part);
export const counted = (n, noun, nouns = `${noun}s`) => `${n ? number.format(n) : 'no'} ${n === 1 ? noun : nouns}`;
export const bytes = (n) => (n < 1000 ? counted(n, 'byte') : `${number.format(Math.round(n / 100) / 10)} kB`);
export const exactly = (time) => dateTime.format(new Date(time));
export const dayOf = (date) => day.format(new Date(date));

const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

// midnight is the begin of the visitor's day, so many days ago.
export function midnight(days) {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - days);
  return day.toISOString();
}

// dayName names the visitor's day of a time: Today, Yesterday, or its date.
export function dayName(time) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / 86_400_000);
  return days < 1 ? 'Today' : days === 1 ? 'Yesterday' : longDay.format(new Date(time));
}

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

// localTimes formats the times in a text of the server for the reader's locale.
export const localTimes = (text) =>
  text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => exactly(time));

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// fileName is the name of a file, or the decoded last part of its address.
export function fileName(file) {
  if (file.name) return file.name;
  const last = file.raw_url.slice(file.raw_url.lastIndexOf('/') + 1) || file.raw_url;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

// nameOf returns the name by which the API knows a user: a login that another user has by
// now names that one.
export const nameOf = ({ id, login, login_taken: taken }) => (taken ? `id:${id}` : login);
