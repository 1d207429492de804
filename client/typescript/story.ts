// Tracks a user, waits for its deals, pages through the users, and handles problems.
// Each line that it prints is a failure; a test runs it against a real server.
//
//   node build/story.js http://localhost:8050 TOKEN LOGIN DEALS

import { connect, type Problem } from './client.ts';

declare const process: { argv: string[] };
declare const setTimeout: (then: () => void, ms: number) => void;

const [server = '', token = '', login = '', deals = ''] = process.argv.slice(2);
const api = connect(server, token);

function expect(right: boolean, failure: string): void {
  if (!right) console.log(failure);
}

async function created(): Promise<number> {
  const { data } = await api.GET('/api/v1/users/{login}', { params: { path: { login } } });
  return data?.deals['created'] ?? 0;
}

const added = await api.POST('/api/v1/users', { body: { users: [login], backfill: 'all' } });
// A request for many users would be answered with an operation instead.
const [result] = added.data && 'backfill' in added.data && Array.isArray(added.data.results) ? added.data.results : [];
expect(result?.result === 'added', `not added: ${JSON.stringify(added.data ?? added.error)}`);
for (let tries = 0; tries < 600 && (await created()) < Number(deals); tries++) {
  await new Promise<void>((then) => setTimeout(then, 100));
}
expect((await created()) === Number(deals), `${await created()} deals, want ${deals}`);

const logins: string[] = [];
let cursor: string | undefined;
do {
  const { data, error } = await api.GET('/api/v1/users', { params: { query: { limit: 1, ...(cursor && { cursor }) } } });
  if (error) throw new Error(error.detail);
  logins.push(...data.users.map((user) => user.login));
  cursor = data.next;
} while (cursor);
expect(logins.length === 2 && logins.includes(login), `the pages have ${logins}`);

const { data: page } = await api.GET('/api/v1/deals', { params: { query: { user: login, state: ['created'] } } });
expect(page?.deals.every((deal) => deal.state === 'created' && deal.deal_id > 0) === true, `deals: ${JSON.stringify(page)}`);

const missing = await api.GET('/api/v1/users/{login}', { params: { path: { login: 'nobody-here' } } });
const problem: Problem | undefined = missing.error;
expect(missing.response.status === 404 && problem?.type === 'urn:gistdeal:problem:not-found', `a missing user: ${JSON.stringify(problem)}`);

const { response } = await api.GET('/api/v1/settings');
const tag = response.headers.get('ETag') ?? '';
const change = (daily: number) => api.PUT('/api/v1/settings', { params: { header: { 'If-Match': tag } }, body: { daily_limit: daily } });
const [first, second] = [await change(900), await change(901)];
expect(first.response.status === 200 && second.response.status === 412, `settings: ${first.response.status} and ${second.response.status}`);
