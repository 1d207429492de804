// Uses everything that gistdeal uses of GitHub, through GitHub's own client.

import assert from "node:assert/strict";
import { Octokit } from "octokit";
import { control, refusal, step, types, url } from "./check.js";

// limits records the refusals that the client takes for a limit.
const limits = [];
const octokit = new Octokit({
  auth: "token",
  baseUrl: url,
  log: { debug() {}, info() {}, warn() {}, error() {} },
  retry: { enabled: false },
  throttle: {
    onRateLimit: (retryAfter) => { limits.push(["primary", retryAfter]); },
    onSecondaryRateLimit: (retryAfter) => { limits.push(["secondary", retryAfter]); },
  },
});
const { gists, rateLimit, users } = octokit.rest;

async function refused(request, status, message) {
  const err = await refusal(request);
  assert.equal(err.status, status, err.message);
  assert.ok(err.message.includes(message), `${err.message} does not contain ${message}`);
  return err;
}

let user;
await step("a user by login and by number", async () => {
  user = (await users.getByUsername({ username: "OctoCat" })).data;
  assert.deepEqual(types(user, ["id", "login", "type", "node_id", "public_gists", "created_at"]), {
    id: "number", login: "string", type: "string", node_id: "string", public_gists: "number", created_at: "string",
  });
  assert.deepEqual([user.login, user.public_gists], ["octocat", 250]);
  assert.deepEqual((await users.getById({ account_id: user.id })).data, user);
  await refused(users.getByUsername({ username: "nobody" }), 404, "Not Found");
  await refused(users.getById({ account_id: 999999999 }), 404, "Not Found");
});

await step("the user of the token", async () => {
  assert.equal(typeof (await users.getAuthenticated()).data.login, "string");
});

let all;
await step("the gists of a user come in linked pages", async () => {
  let pages = 0;
  all = await octokit.paginate(gists.listForUser, { username: "octocat", per_page: 100 }, (page) => {
    pages++;
    return page.data;
  });
  assert.deepEqual([all.length, pages, new Set(all.map((gist) => gist.id)).size], [250, 3, 250]);
  assert.ok(all.every((gist) => gist.public && gist.owner.id === user.id), "a gist is secret or belongs to another user");
  assert.deepEqual(types(all[0], ["id", "node_id", "html_url", "created_at", "updated_at", "comments", "files"]), {
    id: "string", node_id: "string", html_url: "string", created_at: "string", updated_at: "string", comments: "number", files: "object",
  });
  const times = all.map((gist) => gist.created_at);
  assert.deepEqual(times, times.toSorted?.().reverse() ?? [...times].sort().reverse(), "not newest first");
});

await step("an unchanged list is a 304 that costs nothing", async () => {
  const list = { username: "octocat", per_page: 100 };
  const { headers } = await gists.listForUser(list);
  assert.match(headers.etag, /^"[^"]+"$/);
  const unchanged = await refusal(gists.listForUser({ ...list, headers: { "if-none-match": headers.etag } }));
  assert.equal(unchanged.status, 304);
  assert.equal(unchanged.response.headers["x-ratelimit-remaining"], headers["x-ratelimit-remaining"]);
  await control("POST", "gists", { login: "octocat" });
  const changed = await gists.listForUser({ ...list, headers: { "if-none-match": headers.etag } });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.data[0].id, all[0].id);
});

await step("one gist and the public gists", async () => {
  const { data } = await gists.get({ gist_id: all[0].id });
  assert.equal(data.id, all[0].id);
  assert.ok(Object.values(data.files).every((file) => typeof file.content === "string"), "a file has no content");
  await refused(gists.get({ gist_id: "nonsense" }), 404, "Not Found");
  assert.equal((await gists.listPublic({ per_page: 5 })).data.length, 5);
  await refused(gists.listPublic({ per_page: 100, page: 31 }), 422, "pagination is limited");
  await refused(gists.listForUser({ username: "octocat", since: "yesterday" }), 422, "Validation Failed");
});

await step("the rate limit", async () => {
  const before = (await rateLimit.get()).data;
  assert.deepEqual(types(before.resources.core, ["limit", "used", "remaining", "reset"]), {
    limit: "number", used: "number", remaining: "number", reset: "number",
  });
  assert.deepEqual((await rateLimit.get()).data, before, "the request itself was counted");
  const { headers } = await users.getByUsername({ username: "octocat" });
  assert.equal(Number(headers["x-ratelimit-remaining"]), before.resources.core.remaining - 1);
  assert.equal(Number(headers["x-ratelimit-reset"]), before.resources.core.reset);
});

await step("the client understands both limits", async () => {
  await control("POST", "faults", { match: "GET /users/", kind: "limit", times: 1 });
  await refused(users.getByUsername({ username: "octocat" }), 403, "secondary rate limit");
  await control("POST", "faults", { match: "GET /users/", kind: "spent", times: 1 });
  await refused(users.getByUsername({ username: "octocat" }), 403, "API rate limit exceeded");
  assert.deepEqual(limits.map(([kind]) => kind), ["secondary", "primary"]);
  assert.equal(limits[0][1], 60);
  assert.ok(limits[1][1] > 3000 && limits[1][1] <= 3601, `the hour ends in ${limits[1][1]} s`);
});

await step("another token is refused", async () => {
  await control("POST", "knobs", { github_token: "another" });
  await refused(users.getByUsername({ username: "octocat" }), 401, "Bad credentials");
});
