import { afterEach, describe, expect, test } from "bun:test";
import { eventually } from "../testkit/eventually.ts";
import { TestNode } from "../testkit/node.ts";

let host: TestNode | undefined;
afterEach(() => host?.[Symbol.asyncDispose]());

const messages = [{ role: "user", content: "Hello" }];
const ASKED: [path: string, body: object, told: RegExp][] = [
  ["/v1/chat/completions", { messages }, /\ndata: \{"error":\{.*"code":"timeout"/],
  ["/v1/messages", { messages, max_tokens: 5 }, /\nevent: error\ndata: \{"type":"error"/],
  ["/v1/responses", { input: "Hello" }, /\nevent: error\ndata: .*"code":"timeout"/],
];

/** A node that waits for a token no longer than this, in ms. */
function nodeWaiting(limitMs: number): TestNode {
  host = new TestNode(["m"], { idleTimeoutMs: limitMs, firstByteTimeoutMs: limitMs });
  return host;
}

async function requests(node: TestNode): Promise<string> {
  return await (await node.get("/metrics")).text();
}

describe("a request that gets no token although its engine lives", () => {
  test.each(ASKED)("ends in the words of its API: %s", async (path, body, told) => {
    const node = nodeWaiting(200);
    const response = await node.post(path, { model: "m", stream: true, ...body });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(told);
    // The engine is told, so that its slot is free for others.
    await node.engines.last.left.promise;
    const counted = 'llmlb_node_requests_total{model="m",status="timeout"} 1';
    await eventually(async () => (await requests(node)).includes(counted) || undefined);
  });

  test("is 504 if nothing of its answer has come; the engine serves others", async () => {
    const node = nodeWaiting(200);
    await node.node.warm("m");
    const { last } = node.engines;
    last.gate = new Promise(() => undefined);
    const response = await node.post("/v1/chat/completions", { model: "m", messages });
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ error: { code: "timeout" } });
    await last.left.promise;
    expect(await requests(node)).toContain('status="timeout"} 1');
    last.gate = Promise.resolve();
    expect((await node.post("/v1/chat/completions", { model: "m", messages })).status).toBe(200);
    expect(node.engines.launches).toHaveLength(1);
  });
});
