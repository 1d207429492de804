// Uses everything that gistdeal uses of Pipedrive, through Pipedrive's own client.

import assert from "node:assert/strict";
import * as v1 from "pipedrive/v1";
import * as v2 from "pipedrive/v2";
import { control, refusal, step, types, url } from "./check.js";

const first = new v1.Configuration({ apiKey: "key", basePath: url + "/v1" });
const second = new v2.Configuration({ apiKey: "key", basePath: url + "/api/v2" });
const users = new v1.UsersApi(first);
const deals = new v2.DealsApi(second);
const fields = new v2.DealFieldsApi(second);
const pipelines = new v2.PipelinesApi(second);
const stages = new v2.StagesApi(second);

// The client throws the body of a refusal, without its status.
async function refused(request, word) {
  const { success, code, error } = await refusal(request);
  assert.deepEqual([success, code], [false, "ERR_SCHEMA_VALIDATION_FAILED"], error);
  assert.ok(error.startsWith("Validation failed: ") && error.includes(word), `${error} does not contain ${word}`);
}

async function missing(request) {
  const { success, error } = await refusal(request);
  assert.equal(success, false);
  assert.match(error, /not found/i);
}

// walk reads a list to its end and returns its items.
async function walk(list, params) {
  const items = [];
  let cursor;
  do {
    const page = await list({ ...params, cursor });
    assert.equal(page.success, true);
    assert.ok(Array.isArray(page.data), "data is not a list");
    items.push(...page.data);
    cursor = page.additional_data.next_cursor;
  } while (cursor);
  return items;
}

const ids = (items) => items.map((item) => item.id);

let me;
await step("the user of the key", async () => {
  me = (await users.getCurrentUser()).data;
  assert.deepEqual(
    types(me, ["id", "name", "email", "company_id", "company_name", "company_domain", "default_currency", "active_flag", "is_you"]),
    {
      id: "number", name: "string", email: "string", company_id: "number", company_name: "string", company_domain: "string",
      default_currency: "string", active_flag: "boolean", is_you: "boolean",
    },
  );
  assert.equal(me.is_you, true);
  assert.deepEqual(types(me.access[0], ["app", "admin", "permission_set_id"]), { app: "string", admin: "boolean", permission_set_id: "string" });
});

await step("the permissions of the user", async () => {
  const { data } = await users.getUserPermissions({ id: me.id });
  const names = ["can_use_api", "can_add_deals", "can_add_custom_fields", "can_change_visibility_of_items"];
  assert.deepEqual(types(data, names), Object.fromEntries(names.map((name) => [name, "boolean"])));
});

await step("the users of the company", async () => {
  const { data } = await users.getUsers();
  assert.ok(data.length > 1, `${data.length} users`);
  assert.deepEqual(data.filter((user) => user.is_you).map((user) => user.id), [me.id]);
  assert.ok(data.some((user) => !user.active_flag), "no user has left");
});

let pipeline, stage;
await step("pipelines and stages", async () => {
  const all = await walk((params) => pipelines.getPipelines(params), { limit: 1, sort_by: "id", sort_direction: "asc" });
  assert.deepEqual(all.map((one) => one.name), ["Pipeline", "Gists"]);
  pipeline = all[1];
  const { data } = await stages.getStages({ pipeline_id: pipeline.id, limit: 500 });
  assert.deepEqual(data.map((one) => one.name), ["New", "Done"]);
  stage = data[0];
  assert.deepEqual(types(stage, ["id", "order_nr", "name", "is_deleted", "pipeline_id"]), {
    id: "number", order_nr: "number", name: "string", is_deleted: "boolean", pipeline_id: "number",
  });
  assert.deepEqual((await stages.getStages({ pipeline_id: 99 })).data, []);
});

let gistID, kind;
await step("fields are created, found, renamed and deleted", async () => {
  gistID = (await fields.addDealField({ AddDealFieldRequest: { field_name: "Gist", field_type: "varchar", description: "the id" } })).data;
  assert.match(gistID.field_code, /^[0-9a-f]{40}$/);
  assert.equal(gistID.is_custom_field, true);
  const renamed = (await fields.updateDealField({
    field_code: gistID.field_code, UpdateDealFieldRequest: { field_name: "Gist ID", description: null, ui_visibility: { add_visible_flag: true } },
  })).data;
  assert.equal(renamed.field_name, "Gist ID");
  assert.ok(!renamed.description, renamed.description);
  assert.equal(renamed.field_type, "varchar");
  const one = (await fields.getDealField({ field_code: gistID.field_code })).data;
  assert.equal(one.field_name, "Gist ID");
  const all = await walk((params) => fields.getDealFields(params), { limit: 4 });
  assert.equal(all.filter((field) => field.field_code === gistID.field_code).length, 1);
  assert.ok(all.every((field) => typeof field.is_custom_field === "boolean" && typeof field.is_optional_response_field === "boolean"));

  const old = (await fields.addDealField({ AddDealFieldRequest: { field_name: "Old", field_type: "text" } })).data;
  assert.equal((await fields.deleteDealField({ field_code: old.field_code })).data.field_code, old.field_code);
  await missing(fields.getDealField({ field_code: old.field_code }));
  await missing(fields.updateDealField({ field_code: old.field_code, UpdateDealFieldRequest: { field_name: "New" } }));
});

await step("invalid fields are refused", async () => {
  const { field_code } = gistID;
  await refused(fields.addDealField({ AddDealFieldRequest: { field_type: "varchar" } }), "field_name");
  await refused(fields.addDealField({ AddDealFieldRequest: { field_name: "x", field_type: "url" } }), "field_type");
  await refused(fields.addDealField({ AddDealFieldRequest: { field_name: "x", field_type: "enum" } }), "options");
  await refused(fields.updateDealField({ field_code, UpdateDealFieldRequest: {} }), "body");
  await refused(fields.updateDealField({ field_code, UpdateDealFieldRequest: { field_name: "" } }), "field_name");
  await refused(fields.updateDealField({ field_code, UpdateDealFieldRequest: { field_type: "text" } }), "field_type");
  await missing(fields.updateDealField({ field_code: "title", UpdateDealFieldRequest: { field_name: "Name" } }));
});

await step("options of a field are added, renamed and deleted together", async () => {
  kind = (await fields.addDealField({ AddDealFieldRequest: { field_name: "Kind", field_type: "enum", options: [{ label: "code" }] } })).data;
  assert.deepEqual(types(kind.options[0], ["id", "label"]), { id: "number", label: "string" });
  const { field_code } = kind;
  const added = (await fields.addDealFieldOptions({ field_code, AddDealFieldOptionsRequestInner: [{ label: "notes" }, { label: "text" }] })).data;
  assert.deepEqual(added.map((option) => option.label), ["notes", "text"]);
  const renamed = (await fields.updateDealFieldOptions({ field_code, UpdateDealFieldOptionsRequestInner: [{ id: added[0].id, label: "prose" }] })).data;
  assert.deepEqual(renamed, [{ id: added[0].id, label: "prose" }]);
  await refused(fields.deleteDealFieldOptions({ field_code, DeleteDealFieldOptionsRequestInner: [{ id: added[1].id }, { id: 99 }] }), "99");
  const gone = (await fields.deleteDealFieldOptions({ field_code, DeleteDealFieldOptionsRequestInner: [{ id: added[1].id }] })).data;
  assert.deepEqual(gone, [added[1]]);
  const left = (await fields.getDealField({ field_code })).data.options;
  assert.deepEqual(left.map((option) => option.label), ["code", "prose"]);
  await refused(fields.addDealFieldOptions({ field_code: gistID.field_code, AddDealFieldOptionsRequestInner: [{ label: "x" }] }), "options");
});

const members = [
  "id", "title", "creator_user_id", "owner_id", "pipeline_id", "stage_id", "value", "currency", "add_time", "update_time", "stage_change_time",
  "status", "visible_to", "is_deleted", "is_archived", "origin", "custom_fields",
];
const created = [];
await step("deals are created and read", async () => {
  for (const n of [1, 2, 3, 4, 5]) {
    const { success, data } = await deals.addDeal({
      AddDealRequest: {
        title: `Gist from u${n}`, pipeline_id: pipeline.id, stage_id: stage.id, owner_id: me.id, visible_to: 3,
        custom_fields: { [gistID.field_code]: `aa5a${n}`, [kind.field_code]: kind.options[0].id },
      },
    });
    assert.equal(success, true);
    created.push(data);
  }
  assert.deepEqual(types(created[0], members), {
    id: "number", title: "string", creator_user_id: "number", owner_id: "number", pipeline_id: "number", stage_id: "number", value: "number",
    currency: "string", add_time: "string", update_time: "string", stage_change_time: "string", status: "string", visible_to: "number",
    is_deleted: "boolean", is_archived: "boolean", origin: "string", custom_fields: "object",
  });
  assert.match(created[0].add_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const one = (await deals.getDeal({ id: created[1].id, custom_fields: gistID.field_code })).data;
  assert.deepEqual(one.custom_fields, { [gistID.field_code]: "aa5a2" });
  await missing(deals.getDeal({ id: 999999 }));
});

await step("lists of deals come in pages and can be filtered", async () => {
  const list = (params) => deals.getDeals(params);
  assert.deepEqual(ids(await walk(list, { limit: 2, sort_by: "id", sort_direction: "asc" })), ids(created));
  assert.deepEqual(ids(await walk(list, { limit: 2, sort_by: "update_time", sort_direction: "desc" })), ids(created).reverse());
  assert.deepEqual(ids(await walk(list, { ids: `${created[0].id},${created[2].id},999999` })), [created[0].id, created[2].id]);
  assert.deepEqual(await walk(list, { owner_id: me.id + 1 }), []);
  assert.equal((await walk(list, { pipeline_id: pipeline.id, stage_id: stage.id, status: "open", updated_since: created[0].update_time })).length, 5);
  assert.deepEqual(await walk(list, { updated_until: created[0].update_time }), []);
  assert.deepEqual(await walk(list, { status: "won,lost" }), []);
});

await step("a deal is changed, archived, unarchived and deleted", async () => {
  const { id } = created[4];
  const changed = (await deals.updateDeal({ id, UpdateDealRequest: { title: "A better title", status: "won" } })).data;
  assert.equal(changed.title, "A better title");
  assert.equal(typeof changed.won_time, "string");
  assert.equal((await deals.updateDeal({ id, UpdateDealRequest: { is_archived: true } })).data.is_archived, true);
  assert.deepEqual(ids(await walk((params) => deals.getArchivedDeals(params), { limit: 1, sort_by: "id", status: "open,won,lost" })), [id]);
  assert.deepEqual(ids(await walk((params) => deals.getDeals(params), {})), ids(created.slice(0, 4)));
  await deals.updateDeal({ id, UpdateDealRequest: { is_archived: false } });
  assert.deepEqual((await deals.deleteDeal({ id })).data, { id });
  assert.deepEqual(ids(await walk((params) => deals.getDeals(params), { status: "deleted" })), [id]);
  await missing(deals.deleteDeal({ id }));
});

await step("deals are searched", async () => {
  const answer = await deals.searchDeals({ term: "AA5A1", fields: "custom_fields", exact_match: true });
  assert.equal(answer.data.items.length, 1);
  const { item, result_score } = answer.data.items[0];
  assert.equal(typeof result_score, "number");
  assert.equal(item.id, created[0].id);
  assert.equal(item.type, "deal");
  assert.deepEqual(item.owner, { id: me.id });
  assert.deepEqual(item.stage, { id: stage.id, name: "New" });
  assert.deepEqual(item.custom_fields, ["aa5a1"]);
  assert.deepEqual((await deals.searchDeals({ term: "aa5a", fields: "custom_fields", exact_match: true })).data.items, []);
  const pages = await deals.searchDeals({ term: "gist from", fields: "title", limit: 3, status: "open" });
  const rest = await deals.searchDeals({ term: "gist from", fields: "title", limit: 3, status: "open", cursor: pages.additional_data.next_cursor });
  assert.deepEqual(ids([...pages.data.items, ...rest.data.items].map((hit) => hit.item)).sort(), ids(created.slice(0, 4)));
  assert.equal(rest.additional_data.next_cursor, null);
  await refused(deals.searchDeals({ term: "a" }), "term");
});

await step("invalid requests about deals are refused", async () => {
  await refused(deals.getDeals({ limit: 501 }), "limit");
  await refused(deals.getDeals({ status: "gone" }), "status");
  await refused(deals.getDeals({ ids: "one" }), "ids");
  await refused(deals.getDeals({ updated_since: new Date().toISOString() }), "updated_since");
  await refused(deals.getArchivedDeals({ sort_by: "title" }), "sort_by");
  await refused(deals.addDeal({ AddDealRequest: { title: "t", user_id: 1 } }), "user_id");
  await refused(deals.addDeal({ AddDealRequest: { title: "t", stage_id: String(stage.id) } }), "stage_id");
  await refused(deals.addDeal({ AddDealRequest: { title: "t", custom_fields: { nonsense: 1 } } }), "nonsense");
  await refused(deals.addDeal({ AddDealRequest: { title: "t", custom_fields: { [kind.field_code]: 99 } } }), kind.field_code);
});

await step("limits and keys are refused", async () => {
  await control("POST", "faults", { match: "GET /api/v2/deals", kind: "limit", times: 1 });
  assert.equal((await refusal(deals.getDeals({ limit: 1 }))).error, "Request over limit");
  await control("POST", "faults", { match: "POST /api/v2/deals", kind: "cap", times: 1 });
  assert.equal((await refusal(deals.addDeal({ AddDealRequest: { title: "t" } }))).code, "feature_capping_deals_limit");
  await control("POST", "knobs", { token: "another" });
  assert.equal((await refusal(users.getCurrentUser())).error, "unauthorized access");
});
