import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { post, says } from "../src/testkit/clients.ts";
import { eventually, within } from "../src/testkit/eventually.ts";
import { liveRows } from "../src/testkit/liverows.ts";
import { scriptedEndpoint } from "../src/testkit/servers/scripted.ts";
import { chunksOf } from "../src/testkit/servers/translating.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(60_000);

const { start, newHome } = stage();

const CHAT = { model: "m", messages: says("Hello"), max_tokens: 5 };
const STREAMS: [path: string, body: object, last: RegExp][] = [
  ["/v1/chat/completions", CHAT, /\ndata: \{"error":\{.*"code":"draining"/],
  ["/v1/responses", { model: "m", input: "Hello" }, /\nevent: error\ndata: .*"code":"draining"/],
  [
    "/v1/messages",
    CHAT,
    /\nevent: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/,
  ],
  ["/api/chat", CHAT, /\n\{"error":"llmlb is shutting down[^\n]*\n$/],
  [
    "/api/generate",
    { model: "m", prompt: "Hello" },
    /\n\{"error":"llmlb is shutting down[^\n]*\n$/,
  ],
];

/** A stream that has begun and never ends. */
function endless(): Response {
  const [first] = chunksOf([{ content: "Hello" }]);
  const stream = new ReadableStream({
    start: (controller) => controller.enqueue(`data: ${JSON.stringify(first)}\n\n`),
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}

interface Row {
  request_id: string;
  error: string | null;
  http_status: number | null;
}

function rows(home: string): Row[] {
  return liveRows<Row>(join(home, "history.db"), "select * from requests order by request_id");
}

test("what outlasts the drain timeout is told so, and is in the history", async () => {
  using endpoint = scriptedEndpoint("m");
  const home = newHome();
  const args = ["--endpoint", endpoint.url, "--drain-timeout", "300ms", "--default-slots", "8"];
  const program = await start({ mode: "balancer", home, args });
  const ask = (path: string, body: object, id: string) =>
    post(program.url + path, body, { headers: { "x-request-id": id } });

  const streams: Promise<string>[] = [];
  for (const [i, [path, body]] of STREAMS.entries()) {
    endpoint.next.push(endless);
    const response = await ask(path, { ...body, stream: true }, `stream-${i}`);
    expect([path, response.status]).toEqual([path, 200]);
    streams.push(response.text());
  }
  const never = () => new Promise<Response>(() => undefined);
  endpoint.next.push(never, never, never);
  const wholes = STREAMS.slice(0, 3).map(([path, body], i) => ask(path, body, `whole-${i}`));
  await eventually(() => endpoint.asked.length === 8 || undefined);
  // All eight slots are taken.
  const queued = ask("/v1/chat/completions", CHAT, "queued");
  await eventually(async () => {
    const stats = await (await fetch(`${program.url}/api/queue/stats`)).json();
    return (stats as { waiting_count: number }).waiting_count === 1 || undefined;
  });
  program.signal("SIGTERM");

  for (const [i, told] of (await Promise.all(streams)).entries()) {
    expect(told).toMatch(STREAMS[i]?.[2] ?? /never/);
  }
  for (const response of await Promise.all([...wholes, queued])) {
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(await response.text()).toContain("llmlb is shutting down");
  }
  expect(await within(5000, program.exited)).toBe(0);
  const ids = ["queued", ...STREAMS.map((_, i) => `stream-${i}`), "whole-0", "whole-1", "whole-2"];
  expect(rows(home).map(({ request_id: id }) => id)).toEqual(ids);
  expect(new Set(rows(home).map(({ error }) => error))).toEqual(new Set(["draining"]));
});
