import { describe, expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import { Origins } from "./origin.ts";

const LOCAL = "http://localhost:5173";

function told(allowed: string[], origin: string | undefined): string | null {
  const response = new Response();
  const request = new Request("http://x/", { headers: origin === undefined ? {} : { origin } });
  new Origins(allowed).tell(request, response);
  return response.headers.get("access-control-allow-origin");
}

describe("a page may use the server", () => {
  test.each<[string[], string]>([
    [["local"], LOCAL],
    [["local"], "https://127.0.0.1"],
    [["local"], "http://[::1]:3000"],
    [["local"], "http://app.localhost"],
    [["https://chat.example"], "https://chat.example"],
    [["*"], "null"],
    [["tauri://localhost"], "tauri://localhost"],
  ])("of %j: %s", (allowed, origin) => expect(told(allowed, origin)).toBe(origin));

  test.each<[string[], string | undefined]>([
    [[], LOCAL],
    [["local"], "https://evil.example"],
    [["local"], "http://localhost.evil.example"],
    [["local"], "http://127.evil.example"],
    [["local"], "null"],
    [["https://chat.example"], "http://chat.example"],
    [["https://chat.example"], LOCAL],
    [["*"], undefined],
  ])("not of %j: %s", (allowed, origin) => expect(told(allowed, origin)).toBeNull());
});

test("preflights, answers, streams and errors bear the headers", async () => {
  const SSE = { headers: { "content-type": "text/event-stream" } };
  using a = fakeEndpoint(["m"], () => new Response("data: [DONE]\n\n", SSE));
  await using front = await fakeBalancer({ a: a.url });
  const chat = `${front.url}/v1/chat/completions`;
  const preflight = await fetch(chat, {
    method: "OPTIONS",
    headers: {
      origin: LOCAL,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
      "access-control-request-private-network": "true",
    },
  });
  expect(preflight.status).toBe(204);
  expect(Object.fromEntries(preflight.headers)).toMatchObject({
    "access-control-allow-origin": LOCAL,
    "access-control-allow-methods": expect.stringContaining("POST"),
    "access-control-allow-headers": "authorization,content-type",
    "access-control-allow-private-network": "true",
    vary: "origin",
  });
  const headers = { origin: LOCAL, "content-type": "application/json" };
  const body = (model: string) => JSON.stringify({ model, stream: true, messages: [] });
  const answers = await Promise.all([
    fetch(chat, { method: "POST", headers, body: body("m") }),
    fetch(chat, { method: "POST", headers, body: body("none") }),
    fetch(`${front.url}/v1/models`, { headers }),
    fetch(`${front.url}/v2`, { headers }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200, 404]);
  for (const answer of answers) {
    expect(answer.headers.get("access-control-allow-origin")).toBe(LOCAL);
    expect(answer.headers.get("access-control-expose-headers")).toContain("x-request-id");
    expect(answer.headers.get("vary")).toBe("origin");
    await answer.text();
  }
  const foreign = await fetch(chat, {
    method: "OPTIONS",
    headers: { origin: "https://evil.example" },
  });
  expect(foreign.headers.has("access-control-allow-origin")).toBe(false);
});
