// What both scripts need: steps with a name, and requests to the simulator itself.

export const url = process.argv[2];
if (!url) {
  console.error("usage: node SCRIPT.js URL-OF-THE-SIMULATOR");
  process.exit(2);
}

// step runs one step. If it fails, step prints one line with the reason.
export async function step(name, run) {
  try {
    await run();
  } catch (err) {
    process.exitCode = 1;
    console.log(`${name}: ${reason(err)}`);
  }
}

// The client of Pipedrive throws objects that are no errors.
function reason(err) {
  const text = err instanceof Error ? err.message : JSON.stringify(err);
  return text.replace(/\s+/g, " ").trim();
}

// control sends a request to the simulator's control routes.
export async function control(method, path, body) {
  const answer = await fetch(url + "/_sim/" + path, { method, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} /_sim/${path}: ${await answer.text()}`);
  return answer.json();
}

// refusal returns the error of a request that has to fail.
export async function refusal(request) {
  let answer;
  try {
    answer = await request;
  } catch (err) {
    return err;
  }
  throw new Error(`the request was accepted: ${JSON.stringify(answer.data ?? answer)}`);
}

// types returns the type of each named member.
export function types(object, names) {
  return Object.fromEntries(names.map((name) => [name, object[name] === null ? "null" : typeof object[name]]));
}
