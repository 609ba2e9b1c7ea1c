import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../../config/settings.ts";
import { eventually } from "../../../testkit/eventually.ts";
import { refusalOf, TestNode } from "../../../testkit/node.ts";

const MODELS = ["a", "b", "c", "d"];
let host: TestNode | undefined;

afterEach(() => host?.[Symbol.asyncDispose]());

/** A node whose models take 100 bytes each. */
function nodeWith(more: Partial<Settings>): TestNode {
  host = new TestNode(MODELS, more);
  for (const [i] of MODELS.entries()) {
    writeFileSync(join(host.engines.folder, `${i}.gguf`), Buffer.alloc(100));
  }
  return host;
}

const ask = (node: TestNode, model: string, more: object = {}) =>
  node.post("/v1/chat/completions", {
    ...{ model, messages: [{ role: "user", content: "Hello" }] },
    ...more,
  });

async function loaded(node: TestNode): Promise<string[]> {
  const { models } = await node.system();
  return models.filter(({ state }) => state === "ready").map(({ id }) => id);
}

/** A stream that goes on until it is ended. */
async function work(node: TestNode, model: string) {
  const response = await ask(node, model, { stream: true });
  const reader = response.body?.getReader();
  await reader?.read();
  return () => reader?.cancel();
}

describe("a node whose models do not all fit", () => {
  test("ends the one that nobody has needed for longest", async () => {
    const node = nodeWith({ modelsMemoryBytes: 250 });
    for (const model of ["a", "b"]) await ask(node, model);
    // Loads differ by milliseconds, which count as well.
    await Bun.sleep(300);
    await ask(node, "a");
    expect((await ask(node, "c")).status).toBe(200);
    expect(await loaded(node)).toEqual(["a", "c"]);
    expect((await ask(node, "b")).status).toBe(200);
  });

  test("keeps no more than so many, however small they are", async () => {
    const node = nodeWith({ modelsMemoryBytes: null, modelsMax: 1 });
    for (const model of ["a", "b", "c"]) expect((await ask(node, model)).status).toBe(200);
    expect(await loaded(node)).toEqual(["c"]);
  });

  test("never ends one that works: whoever needs its memory waits until it is done", async () => {
    const node = nodeWith({ modelsMemoryBytes: 100 });
    const end = await work(node, "a");
    const waiting = ask(node, "b");
    await Bun.sleep(50);
    expect(await loaded(node)).toEqual(["a"]);
    await end();
    expect((await waiting).status).toBe(200);
    expect(await loaded(node)).toEqual(["b"]);
  });

  test("says who has the memory if that takes too long", async () => {
    const node = nodeWith({ modelsMemoryBytes: 100, loadTimeoutMs: 30 });
    const end = await work(node, "a");
    const response = await ask(node, "b");
    expect(response.headers.get("retry-after")).toBe("10");
    const error = await refusalOf(response);
    expect(error).toMatchObject({ status: 503, code: "no_room" });
    expect(error).toMatchObject({ message: expect.stringContaining("a had work all the time") });
    await end();
    expect((await ask(node, "b")).status).toBe(200);
  });

  test("says so of one that will never fit, and loads the others all the same", async () => {
    const node = nodeWith({ modelsMemoryBytes: 150 });
    writeFileSync(join(node.engines.folder, "1.gguf"), Buffer.alloc(200));
    await ask(node, "a");
    const response = await ask(node, "b");
    expect(response.headers.get("retry-after")).toBeNull();
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await refusalOf(response)).toMatchObject({ status: 507, code: "too_large" });
    expect(await loaded(node)).toEqual(["a"]);
    expect((await ask(node, "c")).status).toBe(200);
  });

  test("never ends what is pinned", async () => {
    const node = nodeWith({ modelsMemoryBytes: 200, pinned: ["a"] });
    for (const model of ["a", "b", "c", "d"]) await ask(node, model);
    expect(await loaded(node)).toEqual(["a", "d"]);
    expect((await node.system()).models[0]).toMatchObject({ pinned: true, reserved_bytes: 100 });
  });

  test("answers all of many requests that mix its models, with few loads", async () => {
    const node = nodeWith({ modelsMemoryBytes: 200 });
    const names = Array.from({ length: 200 }, (_, i) => MODELS[(i * 7) % 4] ?? "a");
    const answers = await Promise.all(names.map((model) => ask(node, model)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(node.engines.launches.length).toBeLessThanOrEqual(8);
    expect((await loaded(node)).length).toBeLessThanOrEqual(2);
  });
});

describe("a model is kept", () => {
  test("for as long as the node says", async () => {
    const node = nodeWith({ keepAliveMs: 20 });
    await ask(node, "a");
    await eventually(async () => ((await loaded(node)).length === 0 ? true : undefined), 2000);
    expect((await ask(node, "a")).status).toBe(200);
  });

  test("for as long as a request says, and as the node says again after that", async () => {
    const node = nodeWith({});
    await ask(node, "a", { keep_alive: 0 });
    await eventually(async () => ((await loaded(node)).length === 0 ? true : undefined), 2000);
    await ask(node, "a");
    await Bun.sleep(30);
    expect(await loaded(node)).toEqual(["a"]);
    await ask(node, "a", { keep_alive: "1h" });
    const { expires_at = "" } = (await node.system()).models[0] ?? {};
    expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(3_500_000);
  });

  test("not while somebody uses it", async () => {
    const node = nodeWith({ keepAliveMs: 10 });
    const end = await work(node, "a");
    await Bun.sleep(50);
    expect(await loaded(node)).toEqual(["a"]);
    await end();
    await eventually(async () => ((await loaded(node)).length === 0 ? true : undefined), 2000);
  });

  test("a chat without messages loads it, or ends it", async () => {
    const node = nodeWith({});
    const only = (keep_alive: unknown) =>
      node.post("/v1/chat/completions", { model: "a", messages: [], keep_alive });
    expect((await only("5m")).status).toBe(200);
    expect(await loaded(node)).toEqual(["a"]);
    expect((await only(0)).status).toBe(200);
    expect(await loaded(node)).toEqual([]);
  });

  test("an end that found nothing to end does not shorten the next load", async () => {
    const node = nodeWith({});
    await ask(node, "a");
    const end = () =>
      node.post("/v1/chat/completions", { model: "a", messages: [], keep_alive: 0 });
    await end();
    await end();
    await ask(node, "a");
    await Bun.sleep(50);
    expect(await loaded(node)).toEqual(["a"]);
  });
});

describe("a node that takes the place of another", () => {
  test("waits with its loads until the engines there have ended", async () => {
    const node = nodeWith({ modelsMemoryBytes: 150, modelsMax: 1 });
    node.node.occupied({ host: 100 });
    let isAnswered = false;
    const asked = ask(node, "a").then((response) => {
      isAnswered = true;
      return response;
    });
    await Bun.sleep(50);
    expect(isAnswered).toBe(false);
    node.node.occupied({ host: 50 });
    expect((await asked).status).toBe(200);
    node.node.occupied({});
    expect((await ask(node, "b")).status).toBe(200);
  });

  test("does not take their memory for missing where nobody set how much there is", async () => {
    const node = nodeWith({ modelsMemoryBytes: null });
    // What is free is free beside them.
    node.node.occupied({ host: 2 ** 50 });
    expect((await ask(node, "a")).status).toBe(200);
  });
});
