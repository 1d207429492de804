// Sends requests to the server. Answers are plain data; every failure is a Problem.
// The browser identifies itself by a cookie that no script can read.

const patience = 60_000; // ms; the server waits up to 25 s for the leader

// Problem is an error answer. Its status is 0 if there was no answer.
export class Problem extends Error {
  constructor(status, title, detail, retryAfter = 0, requestID = '') {
    super(detail || title);
    Object.assign(this, { status, title, retryAfter, requestID });
  }
}

// signIn stores a token as that cookie; signOut removes it.
export const signIn = (token) => ask('POST', '/login', { body: { token } });
export const signOut = () => ask('POST', '/logout');

const ofUser = (login, rest = '') => `users/${encodeURIComponent(login)}${rest}`;

export const me = () => ask('GET', 'me');
export const overview = (signal) => ask('GET', 'overview', { signal });
export const quotas = (signal) => ask('GET', 'quotas', { signal });
export const failures = (signal) => ask('GET', 'failures', { signal });
export const runs = (query, signal) => ask('GET', 'runs', { query, signal });
export const users = (query, signal) => ask('GET', 'users', { query, signal });
export const user = (login, signal) => ask('GET', ofUser(login), { signal });
export const gists = (login, query, signal) => ask('GET', ofUser(login, '/gists'), { query, signal });
export const deals = (query, signal) => ask('GET', 'deals', { query, signal });
export const explain = (gist) => ask('GET', `deals/${encodeURIComponent(gist)}`);

// account and settings are null if the server is older than the page.
export const account = (signal) => ask('GET', 'account', { signal }).catch(older);
export const settings = (signal) => ask('GET', 'settings', { signal }).catch(older);
export const set = (changed) => ask('PUT', 'settings', { body: changed });
export const tokens = (signal) => ask('GET', 'tokens', { signal });
export const makeToken = (name, scope) => ask('POST', 'tokens', { body: { name, scope } });
export const revoke = (name) => ask('DELETE', `tokens/${encodeURIComponent(name)}`);

// openapi is where the API describes itself.
export const openapi = 'api/v1/openapi.json';
export const described = (signal) => ask('GET', 'openapi.json', { signal });

// add tracks users; each has a result. Without a policy a single user gets the configured one.
export const add = (logins, policy, signal) =>
  ask('POST', 'users', { body: { users: logins, ...(policy && { backfill: policy }) }, signal });
// change does one thing to a user: pause, resume, approve, scan or remove.
export const change = (login, verb) =>
  verb === 'remove' ? ask('DELETE', ofUser(login)) : ask('POST', ofUser(login, `/${verb}`));
// changeAll does one thing to many users: to { users }, named, where each has a
// result, or to all that { search, states } means.
export const changeAll = (which, verb) => ask('POST', 'users/change', { body: { change: verb, ...which } });
// visit completes even when the page is left.
export const visit = (login, seq) => ask('PUT', ofUser(login, '/visit'), { body: { seq }, keepalive: true });
export const retry = (selection) => ask('POST', 'deals/retry', { body: selection });
export const skip = (selection, note) => ask('POST', 'deals/skip', { body: { ...selection, note } });
export const pausePushes = (reason) => ask('POST', 'pushes/pause', { body: { reason } });
export const resumePushes = () => ask('POST', 'pushes/resume');

function older(problem) {
  if (problem.status === 404) return null;
  throw problem;
}

// demo reports whether the remotes are simulated.
export async function demo() {
  const response = await fetch('readyz', { cache: 'no-store' });
  const body = await response.json();
  return body.details?.demo === true;
}

async function ask(method, path, { query, body, keepalive = false, signal = new AbortController().signal } = {}) {
  // URLs resolve these two away before anything is sent.
  if (path.split('/').some((part) => part === '.' || part === '..')) throw new Problem(400, 'Invalid request', 'this cannot be a GitHub login');
  const headers = { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }) };
  let response, answer;
  try {
    response = await fetch(address(path, query), {
      method, headers, keepalive, body: body && JSON.stringify(body), signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    });
    answer = response.status === 204 ? null : await response.json();
  } catch (error) {
    signal.throwIfAborted();
    if (!response) throw new Problem(0, 'gistdeal isn’t running', 'Check that it runs and can be reached.');
    if (response.ok || !(error instanceof SyntaxError)) throw unreadable(response.status);
  }
  if (response.ok) return answer;
  const detail = [answer?.detail, ...(answer?.errors ?? []).map((e) => e.message)].filter(Boolean).join('; ');
  throw new Problem(response.status, answer?.title ?? `Answer ${response.status}`, detail,
    Number(response.headers.get('Retry-After')) || 0, answer?.request_id);
}

function address(path, query = {}) {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '' && value !== undefined));
  // All are beside the page; a path from / on is none of the API's.
  return `${path.startsWith('/') ? path.slice(1) : `api/v1/${path}`}${given.size ? `?${given}` : ''}`;
}

// stream opens the events of the server.
export const stream = () => new EventSource('api/v1/events');

const unreadable = (status) =>
  new Problem(status, 'The answer cannot be read', 'It was cut off, or a proxy stands between.');
