// A client of the API that does what its test says: each line on stdin is a call, each line on stdout its answer.
//
//   {"call": ["v1", "statuses", ["42"], "context", "fetch"], "with": [{"limit": 5}]}   a name in brackets is an id
//   {"oauth": ["token", "create"], "with": [...]}    {"token": "…"}    {"stream": "list", "with": [{"list": "g5"}]}    {"pages": […]}
//
// In `with`, {"blob": "…"} is a file in base64. What a stream tells is a line of its own: {"stream": "list", "event": "update", "id": "42"}.

import { createInterface } from "node:readline";
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from "masto";

const url = process.argv[2];
let rest = createRestAPIClient({ url });
let token = "";

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if ("blob" in value) return new Blob([Buffer.from(value.blob, "base64")], { type: "image/png" });
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpack(each)]));
}

function walk(client, steps, given) {
  const last = steps.at(-1);
  let target = client;
  for (const step of steps.slice(0, -1)) target = Array.isArray(step) ? target.$select(step[0]) : target[step];
  return target[last](...given);
}

async function listen(name, given) {
  const { configuration } = await rest.v2.instance.fetch();
  const streaming = createStreamingAPIClient({ streamingApiUrl: configuration.urls.streaming, accessToken: token });
  const events = streaming[name].subscribe(...given);
  (async () => {
    for await (const { event, payload } of events) say({ stream: name, event, id: payload?.id ?? payload });
  })();
}

async function act(order) {
  const given = unpack(order.with ?? []);
  if (order.token !== undefined) {
    token = order.token;
    rest = createRestAPIClient({ url, accessToken: token });
    return true;
  }
  if (order.stream !== undefined) return listen(order.stream, given);
  if (order.pages !== undefined) {
    const found = [];
    for await (const each of walk(rest, order.pages, given)) found.push(each);
    return found;
  }
  return order.oauth ? walk(createOAuthAPIClient({ url }), order.oauth, given) : walk(rest, order.call, given);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ answer: (await act(JSON.parse(line))) ?? null });
  } catch (error) {
    say({ error: error.message, status: error.statusCode ?? null, name: error.name });
  }
}
process.exit(0);
