// Verifies messages with the library of the Standard Webhooks specification, and tries to
// have forged ones accepted.
import { Webhook } from "standardwebhooks";

let text = "";
for await (const part of process.stdin) text += part;
let verified = 0, forged = 0;
const accepts = (secret, body, headers) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (e) {
    return e instanceof SyntaxError; // The signature was accepted, and the body is no JSON.
  }
};
for (const { secret, headers, body } of JSON.parse(text)) {
  if (accepts(secret, body, headers)) verified++;
  if (accepts(secret, body + " ", headers)) forged++;
  if (accepts(secret, body, { ...headers, "webhook-id": "evt_2_x" })) forged++;
  if (accepts("whsec_" + btoa("another secret of that length"), body, headers)) forged++;
}
console.log(`${verified} verified, ${forged} forged accepted`);
