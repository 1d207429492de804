// The client of the API. Responses are plain data, and each error is a Problem.
// The browser authenticates by a cookie that scripts cannot read.

const timeout = 60_000; // ms; the server waits up to 25 s for the leader

// Problem is a failed request. Its status is 0 if there was no response.
export class Problem extends Error {
  constructor(status, title, detail, { retryAfter = 0, requestID = '' } = {}) {
    super(detail || title);
    Object.assign(this, { status, title, retryAfter, requestID });
  }
}

// signIn exchanges a token for the cookie; signOut deletes the cookie.
export const signIn = (token) => request('POST', '/login', { body: { token } });
export const signOut = () => request('POST', '/logout');

// provider returns the name of the OpenID Connect provider, '' if there is none.
export const provider = () => request('GET', '/login/options').then((options) => options.provider ?? '', () => '');
// providerAddress begins a sign-in that leads back to the current view.
export const providerAddress = () => `login/oidc?${new URLSearchParams({ next: `/${location.hash}` })}`;

const ofUser = (login, rest = '') => `users/${encodeURIComponent(login)}${rest}`;

export const me = () => request('GET', 'me');
export const overview = (signal) => request('GET', 'overview', { signal });
export const quotas = (signal) => request('GET', 'quotas', { signal });
export const failures = (signal) => request('GET', 'failures', { signal });
export const runs = (query, signal) => request('GET', 'runs', { query, signal });
export const users = (query, signal) => request('GET', 'users', { query, signal });
export const user = (login, signal) => request('GET', ofUser(login), { signal });
export const gists = (login, query, signal) => request('GET', ofUser(login, '/gists'), { query, signal });
export const lastGists = (query, signal) => request('GET', 'gists', { query, signal });
export const deals = (query, signal) => request('GET', 'deals', { query, signal });
// dealsFile is the address of a list of deals as CSV.
export const dealsFile = (query) => address('deals.csv', query);
export const duplicates = (query, signal) => request('GET', 'duplicates', { query, signal });
export const explain = (gist) => request('GET', `deals/${encodeURIComponent(gist)}`);

// account and settings are null if the server is older than the page, for example
// behind a proxy that serves the files of another version.
export const delays = (signal) => request('GET', 'overview/delays', { signal }).catch(older);
export const account = (signal) => request('GET', 'account', { signal }).catch(older);
export const settings = (signal) => request('GET', 'settings', { signal }).catch(older);
export const set = (changed) => request('PUT', 'settings', { body: changed });
export const tokens = (signal) => request('GET', 'tokens', { signal });
// createToken makes a token that ends after so many days, '' for never.
export const createToken = (name, scope, days) =>
  request('POST', 'tokens', { body: { name, scope, ...(days && { expires_at: new Date(Date.now() + days * 86_400_000).toISOString() }) } });
export const rotateToken = (name, overlap) => request('POST', `tokens/${encodeURIComponent(name)}/rotate`, { body: { overlap } });
// people are the people with a sign-in at the OpenID Connect provider.
export const people = (signal) => request('GET', 'people', { signal });
export const signOutPerson = (name) => request('POST', `people/${encodeURIComponent(name)}/sign-out`);
export const forgetPerson = (name) => request('DELETE', `people/${encodeURIComponent(name)}`);
export const erase = (login) => request('POST', ofUser(login, '/erase'), { body: { confirm: login } });
// auditLogFile is the address of the whole audit log as CSV.
export const auditLogFile = 'api/v1/audit-log.csv';
export const auditLog = (query, signal) => request('GET', 'audit-log', { query, signal });
export const revoke = (name) => request('DELETE', `tokens/${encodeURIComponent(name)}`);

// webhooks are the addresses that get messages about events.
const ofWebhook = (name, rest = '') => `webhooks/${encodeURIComponent(name)}${rest}`;
export const webhooks = (signal) => request('GET', 'webhooks', { signal });
export const addWebhook = (webhook) => request('POST', 'webhooks', { body: webhook });
export const changeWebhook = (name, changed) => request('PUT', ofWebhook(name), { body: changed });
export const deleteWebhook = (name) => request('DELETE', ofWebhook(name));
export const rotateWebhook = (name, overlap) => request('POST', ofWebhook(name, '/rotate'), { body: { overlap } });
export const testWebhook = (name) => request('POST', ofWebhook(name, '/test'));
export const previewNotices = (settings) => request('POST', 'webhooks/preview', { body: settings });
export const redeliver = (name, which) => request('POST', ofWebhook(name, '/redeliver'), { body: which });
export const deliveries = (name, query) => request('GET', ofWebhook(name, '/deliveries'), { query });

// rules decide which gists become deals. To save them fails with the status 412 if they have
// another version by now.
export const rules = (signal) => request('GET', 'rules', { signal });
export const ruleCatalog = (signal) => request('GET', 'rules/catalog', { signal });
export const saveRules = (set, version) => request('PUT', 'rules', { body: set, match: `"${version}"` });
export const previewRules = (draft, signal) => request('POST', 'rules/preview', { body: draft, signal });
export const ruleChanges = () => request('GET', 'rules/apply');
export const applyRules = () => request('POST', 'rules/apply');

// openapi is the address of the OpenAPI document.
export const openapi = 'api/v1/openapi.json';
export const described = (signal) => request('GET', 'openapi.json', { signal });

// add tracks users and returns a result for each, or the operation that adds more than 100.
// Without a backfill the setting applies.
export const add = (logins, backfill, signal, tags = {}) =>
  request('POST', 'users', { body: { users: logins, user_tags: tags, ...(backfill && { backfill }) }, signal });
// plan estimates the deals of tracking up to 100 users, and cost the cost of creating deals. The
// rules decide about the last gists of a few users.
export const plan = (logins, backfill, tags = {}, signal) => request('POST', 'plan', { body: { users: logins, user_tags: tags, ...(backfill && { backfill }), ...(logins.length <= 20 && { gists: 100, results: 20 }) }, signal });
export const cost = (deals, signal) => request('GET', 'plan', { query: { deals }, signal });
// change applies pause, resume, approve, scan or remove to a user.
export const change = (login, verb) =>
  verb === 'remove' ? request('DELETE', ofUser(login)) : request('POST', ofUser(login, `/${verb}`));
// changeAll applies the same to many users: to { users }, with a result for each,
// or to all that match { search, states }. More than 100 become an operation.
export const changeAll = (which, verb) => request('POST', 'users/change', { body: { change: verb, ...which } });
// operations are changes of many users or deals, which the server works off.
export const operations = (query, signal) => request('GET', 'operations', { query, signal });
export const operation = (id, signal) => request('GET', `operations/${encodeURIComponent(id)}`, { signal });
export const operationResults = (id, query, signal) => request('GET', `operations/${encodeURIComponent(id)}/results`, { query, signal });
export const cancelOperation = (id) => request('POST', `operations/${encodeURIComponent(id)}/cancel`);
// visit completes even if the page is closed meanwhile. takeBack undoes it with its answer.
export const visit = (login, seq) => request('PUT', ofUser(login, '/visit'), { body: { seq }, keepalive: true });
export const takeBack = (login, { seen, before }) => request('PUT', ofUser(login, '/visit'), { body: { seq: before, replaces: seen } });
export const retry = (selection) => request('POST', 'deals/retry', { body: selection });
export const skip = (selection, note) => request('POST', 'deals/skip', { body: { ...selection, note } });
export const pausePushes = (reason, scans) => request('POST', 'pushes/pause', { body: { reason, ...(scans && { scans }) } });
export const resumePushes = () => request('POST', 'pushes/resume');

function older(problem) {
  if (problem.status === 404) return null;
  throw problem;
}

// demo reports whether GitHub and Pipedrive are simulated.
export async function demo() {
  const response = await fetch('readyz', { cache: 'no-store' });
  const body = await response.json();
  return body.details?.demo === true;
}

async function request(method, path, { query, body, match, keepalive = false, signal = new AbortController().signal } = {}) {
  // URL parsing would remove these segments.
  if (path.split('/').some((part) => part === '.' || part === '..')) throw new Problem(400, 'Invalid request', 'this is not a GitHub login');
  const headers = { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }), ...(match && { 'If-Match': match }) };
  let response, answer;
  try {
    response = await fetch(address(path, query), {
      method, headers, keepalive, body: body && JSON.stringify(body), signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    });
    answer = response.status === 204 ? null : await response.json();
  } catch (error) {
    signal.throwIfAborted();
    if (!response) {
      throw navigator.onLine
        ? new Problem(0, 'Can’t reach gistdeal', 'Check that it is running and that your network can reach it.')
        : new Problem(0, 'This device is offline', 'The page goes on when the network is back.');
    }
    if (response.ok || !(error instanceof SyntaxError)) throw unreadable(response.status);
  }
  if (response.ok) return answer;
  const detail = [answer?.detail, ...(answer?.errors ?? []).map((e) => e.message)].filter(Boolean).join('; ');
  if (detail.endsWith('the database does not answer')) {
    throw method === 'GET'
      ? new Problem(response.status, 'gistdeal can’t reach its database', '')
      : new Problem(response.status, 'gistdeal can’t reach its database', 'Try again later.');
  }
  throw new Problem(response.status, answer?.title ?? `Unexpected response (status ${response.status})`, detail,
    { retryAfter: Number(response.headers.get('Retry-After')) || 0, requestID: answer?.request_id });
}

function address(path, query = {}) {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '' && value !== undefined));
  // All addresses are relative to the page; a path with a leading / is outside the API.
  return `${path.startsWith('/') ? path.slice(1) : `api/v1/${path}`}${given.size ? `?${given}` : ''}`;
}

// stream opens the event stream after the event with the given id, '' for the next one.
export const stream = (after) => new EventSource(`api/v1/events${after && `?after=${after}`}`);

const unreadable = (status) =>
  new Problem(status, 'Can’t read the response', 'It was cut off, or a proxy changed it.');
