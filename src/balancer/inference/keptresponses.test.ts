import { describe, expect, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { keepingEndpoint } from "../../testkit/servers/responses.ts";
import { ROUTES } from "../../wire/route.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import type { RequestContext } from "./context.ts";
import { KeptResponses } from "./keptresponses.ts";

const PATH = "/v1/responses";

async function idOf(answer: Response): Promise<string> {
  return /resp_\w+/.exec(await answer.text())?.[0] ?? `none: ${answer.status}`;
}

test.each([false, true])(
  "a response goes on at the endpoint that made it; streamed: %p",
  async (stream) => {
    using a = keepingEndpoint("a");
    using b = keepingEndpoint("b");
    await using front = await fakeBalancer({ a: a.url, b: b.url }, { strategy: "round-robin" });
    const ask = (more: object) => front.post(PATH, { model: "m", input: "hi", stream, ...more });
    // What routes they have is found out after the first check.
    const first = await eventually(async () => {
      const id = await idOf(await ask({}));
      return /^resp_[ab]_/.test(id) ? id : undefined;
    });
    let previous_response_id = first;
    for (let turn = 0; turn < 6; turn += 1) {
      const next = await idOf(await ask({ previous_response_id }));
      expect(next.slice(0, 7)).toBe(first.slice(0, 7));
      previous_response_id = next;
    }
  },
);

test("of a response that nobody made here the only one that may keep any is asked", async () => {
  using a = keepingEndpoint("a");
  using b = keepingEndpoint("b");
  const body = { model: "m", input: "hi", previous_response_id: "resp_x" };
  const errorOf = async (endpoints: Record<string, string>) => {
    await using front = await fakeBalancer(endpoints, { strategy: "round-robin" });
    const makers = new Set<string>();
    // What routes they have is found out after the first check.
    await eventually(async () => {
      const id = await idOf(await front.post(PATH, { model: "m", input: "hi" }));
      makers.add(/^resp_[ab]_/.exec(id)?.[0] ?? "none");
      makers.delete("none");
      return makers.size === Object.keys(endpoints).length || undefined;
    });
    const answer = await front.post(PATH, body);
    expect(answer.status).toBe(400);
    const got = await fetch(`${front.url}${PATH}/resp_x`);
    expect(got.status).toBe(404);
    return JSON.stringify([await answer.json(), await got.json()]);
  };
  const told = await errorOf({ a: a.url });
  expect(told).toContain("Previous response with id 'resp_x' not found.");
  expect(a.asked).toEqual([`GET ${PATH}/resp_x`]);
  const refused = await errorOf({ a: a.url, b: b.url });
  expect(refused).toContain('"unsupported_state"');
  expect(refused).toContain('"response_not_found"');
  expect([a.asked.length, b.asked.length]).toEqual([1, 0]);
});

describe("who made a response is found in its first bytes", () => {
  /** What is stored after these pieces of an answer passed. */
  function storedOf(...pieces: string[]): string[] {
    const stored: string[] = [];
    const kept = new KeptResponses({
      record: ({ id }) => void stored.push(id),
      get: async () => undefined,
    });
    const endpoint = new Endpoint({ name: "a", url: "http://a" });
    endpoint.routes = new Set(["responses"]);
    const context = { route: ROUTES.responses, model: "m" } as RequestContext;
    const tap = kept.tap(context, endpoint);
    for (const piece of pieces) tap?.push(Buffer.from(piece));
    return stored;
  }

  const created = (id: string, more = "") =>
    `data: {"type":"response.created","response":{"id":"${id}"${more}}}\n\n`;

  test.each<[string, string[], string[]]>([
    ["of a stream", [created("resp_1"), created("resp_2")], ["resp_1"]],
    ["of a whole answer", ['{"created_at":1, "id" : "resp_1", "output":[{"id":"o"}]}'], ["resp_1"]],
    ["that is not like OpenAI's", [created("gen-1")], ["gen-1"]],
    ["that is like OpenAI's, behind another", ['{"user":{"id":"u"},"id":"resp_1"}'], ["resp_1"]],
    ["behind signs of life", [...Array(40).fill(": ping\n\n"), created("resp_1")], ["resp_1"]],
    ["that nobody keeps", [created("resp_1", ',"store":false')], []],
    [
      "that comes too late",
      ["event: a\n\n", "event: b\n\n", "event: c\n\n", created("resp_1")],
      [],
    ],
  ])("%s", (_, pieces, ids) => {
    expect(storedOf(...pieces)).toEqual(ids);
  });
});
