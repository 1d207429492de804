// Asks the server. Answers are plain data; whatever goes wrong is a Problem.

const tokenKey = 'gistdeal.token';
const patience = 90_000; // ms; the server answers a first scan within 25 s
let kept = '';
try {
  kept = sessionStorage.getItem(tokenKey) ?? '';
} catch {
  // Storage is blocked: the token lives as long as the page.
}

// Problem is an answer that is not what was asked for. Its status is 0 if there
// was no answer at all.
export class Problem extends Error {
  constructor(status, title, detail, retryAfter = 0, requestID = '') {
    super(detail || title);
    Object.assign(this, { status, title, retryAfter, requestID });
  }
}

// token returns the API token that requests carry, '' for none.
export const token = () => kept;

// setToken makes later requests carry a token.
export function setToken(value) {
  kept = value;
  try {
    sessionStorage.setItem(tokenKey, value);
  } catch {
    // As above.
  }
}

// user returns {fresh, seen, scanning, retryAfter} of a login. Without peek the
// server tracks the login if it is new, and records the visit.
export async function user(login, signal, peek = false) {
  // URLs resolve these two away before anything is sent.
  if (login === '.' || login === '..') throw new Problem(400, 'Invalid request', `"${login}" cannot be a GitHub login`);
  const { status, body, retryAfter } = await ask(`user/${encodeURIComponent(login)}${peek ? '?peek=true' : ''}`, signal);
  if (!Array.isArray(body?.new_gists) || !Array.isArray(body.old_gists)) throw unreadable(status);
  return { fresh: body.new_gists, seen: body.old_gists, scanning: status === 202, retryAfter };
}

// users returns the logins of the tracked users.
export async function users() {
  const { status, body } = await ask('trackedusers');
  if (!Array.isArray(body)) throw unreadable(status);
  return body;
}

// health returns {status, details}; a server that is not ready says so too.
export async function health() {
  const { status, body } = await ask('readyz');
  if (typeof body?.status !== 'string') throw unreadable(status);
  return body;
}

async function ask(path, signal = new AbortController().signal) {
  const headers = { Accept: 'application/json' };
  if (kept) headers.Authorization = `Bearer ${kept}`;
  let response, body;
  try {
    response = await fetch(path, { headers, cache: 'no-store', signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
    body = await response.json();
  } catch (error) {
    signal.throwIfAborted();
    if (!response) throw new Problem(0, 'gistdeal does not answer', 'Check that it runs and can be reached.');
    if (response.ok || !(error instanceof SyntaxError)) throw unreadable(response.status);
  }
  const { ok, status } = response;
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  if (ok || (path === 'readyz' && status === 503)) return { status, body, retryAfter };
  throw new Problem(status, body?.title ?? `Answer ${status}`, body?.detail, retryAfter, body?.request_id);
}

const unreadable = (status) =>
  new Problem(status, 'The answer cannot be read', 'It was cut off, or a proxy stands between.');
