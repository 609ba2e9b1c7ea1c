import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineLoadError } from "../../engine/loaderror.ts";
import { refusalOf, TestNode } from "../../testkit/node.ts";

let host: TestNode;

beforeEach(() => {
  host = new TestNode(["chat", "other"]);
});

afterEach(() => host[Symbol.asyncDispose]());

test("requests at once share one load, and one that leaves does not stop it", async () => {
  const gate = Promise.withResolvers<void>();
  host.engines.hold(gate.promise);
  const leaver = new AbortController();
  const gone = host.chat({}, leaver.signal).catch((error: Error) => error.name);
  const others = [host.chat(), host.chat(), host.chat()];
  await host.engines.launched;
  expect((await host.system()).models[0]?.state).toBe("loading");
  leaver.abort();
  expect(await gone).toBe("AbortError");
  gate.resolve();
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200]);
  expect(host.engines.launches).toHaveLength(1);
});

test("a load that outlasts the request's limit is 503 with Retry-After, and goes on", async () => {
  await using host = new TestNode(["chat"], { firstByteTimeoutMs: 20 });
  const gate = Promise.withResolvers<void>();
  host.engines.hold(gate.promise);
  const response = await host.chat();
  expect(response.headers.get("retry-after")).toBe("10");
  expect(await refusalOf(response)).toMatchObject({ status: 503, code: "model_loading" });
  gate.resolve();
  await host.node.warm("chat");
  expect(host.engines.launches).toHaveLength(1);
});

test("a bad file fails with its reason, once, until the file changes", async () => {
  host.engines.hold(Promise.reject(new EngineLoadError("not_gguf", "It is not a GGUF file.")));
  for (let i = 0; i < 2; i += 1) {
    const error = await refusalOf(await host.chat());
    expect(error).toMatchObject({ status: 503, code: "not_gguf" });
    expect(error).toMatchObject({ message: expect.stringContaining("It is not a GGUF file.") });
  }
  expect(host.engines.launches).toHaveLength(1);
  expect((await host.system()).models[0]).toMatchObject({ state: "failed" });
  host.engines.hold(Promise.resolve());
  writeFileSync(join(host.engines.folder, "0.gguf"), "now it is there");
  expect((await host.chat()).status).toBe(200);
});

test("a load that may work later backs off", async () => {
  host.engines.hold(Promise.reject(new EngineLoadError("out_of_memory", "Too little memory.")));
  expect((await host.chat()).headers.get("retry-after")).toBeNull();
  const again = await host.chat();
  expect(again.headers.get("retry-after")).toBe("1");
  expect(await refusalOf(again)).toMatchObject({ status: 503, code: "out_of_memory" });
  expect(host.engines.launches).toHaveLength(1);
});

test("an engine that dies before it answers is 502, the next request restarts it", async () => {
  await host.node.warm("chat");
  await host.node.warm("other");
  host.engines.running[0]?.reached.promise.then(() => host.engines.running[0]?.crash());
  if (host.engines.running[0]) host.engines.running[0].gate = new Promise(() => undefined);
  const error = await refusalOf(await host.chat());
  expect(error).toMatchObject({ status: 502, code: "engine_crashed" });
  expect(error).toMatchObject({ message: expect.stringContaining("chat ended unexpectedly") });
  expect((await host.system()).models[1]?.state).toBe("ready");
  expect((await host.chat()).status).toBe(200);
  expect(host.engines.launches).toHaveLength(3);

  await host.engines.last.crash();
  const refused = await host.chat();
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refusalOf(refused)).toMatchObject({ status: 503, code: "engine_crashed" });
  expect((await host.system()).models[0]).toMatchObject({ state: "failed" });
});

test("an engine that dies in mid-stream ends the stream with an error event", async () => {
  const response = await host.chat({ stream: true });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toBe('data: {"n":1}\n\n');
  expect((await host.system()).slots.busy).toBe(1);
  await host.engines.last.crash();
  let rest = "";
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
    rest += next.value;
  }
  expect(rest).toContain('"code":"engine_crashed"');
  expect(rest).toContain("ended unexpectedly");
  expect((await host.system()).slots.busy).toBe(0);
});

test("a client that leaves a stream frees the engine", async () => {
  const leaver = new AbortController();
  const response = await host.chat({ stream: true }, leaver.signal);
  await response.body?.getReader().read();
  expect((await host.system()).slots.busy).toBe(1);
  leaver.abort();
  await host.engines.last.left.promise;
  expect((await host.system()).slots.busy).toBe(0);
});

test("a client that leaves before the answer begins frees the engine", async () => {
  await host.node.warm("chat");
  host.engines.last.gate = new Promise(() => undefined);
  const leaver = new AbortController();
  const gone = host.chat({}, leaver.signal).catch((error: Error) => error.name);
  await host.engines.last.reached.promise;
  leaver.abort();
  expect(await gone).toBe("AbortError");
  await host.engines.last.left.promise;
});

test("closing ends the engines and refuses to start new ones", async () => {
  await host.node.warm("chat");
  await host.node.close();
  expect(await host.engines.last.exited).toMatchObject({ expected: true });
  expect((await host.chat()).status).toBe(503);
  await expect(host.node.warm("nope")).rejects.toMatchObject({ status: 404 });
});
