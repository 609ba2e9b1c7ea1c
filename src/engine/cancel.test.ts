import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  decodingSlots,
  ENDLESS,
  EngineHome,
  launchTest,
  sendToEngine,
  tinyChat,
} from "../testkit/engine.ts";
import { until } from "../testkit/eventually.ts";
import type { Engine } from "./engine.ts";

const PATH = "/v1/chat/completions";
const FREED_MS_MAX = 1000;

const home = new EngineHome();
let engine: Engine;
beforeAll(async () => {
  engine = await launchTest(home);
});
afterAll(async () => {
  await engine.stop(5000);
  home[Symbol.dispose]();
});

/** Starts an endless answer and waits until a slot works on it. */
async function begin(stream: boolean) {
  const before = await decodingSlots(engine);
  const client = new AbortController();
  const body = tinyChat("Tell a story", { ...ENDLESS, stream });
  const answer = sendToEngine(engine, PATH, body, client.signal).then((response) =>
    response.text(),
  );
  const outcome = answer.then(
    () => "answered",
    () => "aborted",
  );
  await until(async () => (await decodingSlots(engine)) === before + 1, 5000);
  return { leave: () => client.abort(), outcome };
}

describe("a client that goes away frees its slot within a second", () => {
  for (const stream of [true, false]) {
    const kind = stream ? "streaming" : "not streaming";

    test(kind, async () => {
      const client = await begin(stream);
      client.leave();
      await until(async () => (await decodingSlots(engine)) === 0, FREED_MS_MAX);
      expect(await client.outcome).toBe("aborted");
    });

    test(`${kind}, while another one streams`, async () => {
      const other = await begin(true);
      const client = await begin(stream);
      client.leave();
      await until(async () => (await decodingSlots(engine)) === 1, FREED_MS_MAX);
      other.leave();
      await until(async () => (await decodingSlots(engine)) === 0, FREED_MS_MAX);
    });
  }

  test("also when it is still waiting for a slot", async () => {
    const clients = [await begin(true), await begin(false), await begin(true), await begin(false)];
    const waiting = new AbortController();
    const answer = sendToEngine(engine, PATH, tinyChat("Hello", ENDLESS), waiting.signal).then(
      () => "answered",
      () => "aborted",
    );
    await Bun.sleep(50);
    waiting.abort();
    for (const client of clients) client.leave();
    await until(async () => (await decodingSlots(engine)) === 0, FREED_MS_MAX);
    expect(await answer).toBe("aborted");
  });
});

test("a prompt is read in short batches until the host has shown how fast it is", async () => {
  using other = new EngineHome();
  const fresh = await launchTest(other);
  const body = tinyChat("word ".repeat(1500), { stream: true, return_progress: true });
  const text = await (await sendToEngine(fresh, PATH, { ...body, max_tokens: 1 })).text();
  const read = [...text.matchAll(/"processed":(\d+)/g)].map(([, count]) => Number(count));
  const batches = read.slice(1).map((count, index) => count - (read[index] ?? 0));
  expect(batches.length).toBeGreaterThan(2);
  expect(batches[0]).toBeLessThanOrEqual(128);
  expect(batches.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(1000);
  await fresh.stop(5000);
});

test("the engine answers after all that", async () => {
  const response = await sendToEngine(engine, PATH, tinyChat("Goodbye"));
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: "Goodbye!" } }] });
});
