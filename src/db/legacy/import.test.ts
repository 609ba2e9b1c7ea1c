import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../lib/log.ts";
import { createEndpoint, makeStateHome, type StateHome } from "../../testkit/state.ts";

let home: StateHome;
let events: { event: string; fields: Record<string, unknown> }[];

beforeEach(() => {
  events = [];
  const note = (fields: Record<string, unknown>, event: string) => events.push({ event, fields });
  home = makeStateHome({ info: note, warn: note, error: note, debug: note } as unknown as Logger);
});
afterEach(() => home.remove());

const at = (name: string) => join(home.path, name);
const put = (name: string, value: unknown) => writeFileSync(at(name), JSON.stringify(value));
const jsonFiles = () => readdirSync(home.path).filter((name) => name.includes(".json"));

const NODE = {
  ...{ id: "8d5c0c5a-3b1f-4b0e-9c57-1a9a3f3f7a01", machine_name: "gpu-1" },
  ...{ ip_address: "192.168.1.5", runtime_version: "0.1", runtime_port: 11434, status: "online" },
  registered_at: "2025-11-01T10:00:00Z",
  ...{ custom_name: null, tags: ["fast", "rack 3"], notes: "noisy", loaded_models: ["m"] },
  gpu_devices: [{ model: "H100", count: 2, memory: 1000 }],
};

const REQUEST = {
  ...{ id: "r1", timestamp: "2025-12-01T10:00:00Z", request_type: "chat", model: "m" },
  ...{ node_id: NODE.id, node_machine_name: "gpu-1", node_ip: "192.168.1.5", client_ip: null },
  request_body: { messages: [{ content: "data:image/png;base64,QUJD" }] },
  ...{ response_body: { ok: true }, duration_ms: 250, completed_at: "2025-12-01T10:00:01Z" },
  ...{ status: { type: "success" }, input_tokens: 3, output_tokens: 4 },
};

describe("good files", () => {
  test("nodes become endpoints that wait for their first check", async () => {
    const second = { machine_name: "gpu-1", ip_address: "fe80::1", runtime_port: 9000 };
    const twice = { machine_name: "again", ip_address: "192.168.1.5" };
    put("nodes.json", [NODE, second, twice]);
    const state = await home.open();
    const endpoints = await state.endpoints.list();
    expect(endpoints).toHaveLength(2);
    const [first] = endpoints;
    expect(first).toMatchObject({
      ...{ id: NODE.id, name: "gpu-1", baseUrl: "http://192.168.1.5:11435", status: "pending" },
      ...{ notes: "noisy\ntags: fast, rack 3", registeredAt: Date.UTC(2025, 10, 1, 10) },
    });
    expect(first?.deviceInfo?.gpu_devices).toHaveLength(2);
    expect(endpoints[1]).toMatchObject({ name: "gpu-1 (2)", baseUrl: "http://[fe80::1]:9001" });
    expect(jsonFiles()).toEqual(["nodes.json.migrated"]);
    expect(events.map(({ event }) => event)).toEqual(["legacy.skipped", "legacy.imported"]);
  });

  test("endpoints keep their settings, and their keys become secret", async () => {
    const old = { name: "a", base_url: "http://a:1", api_key: "sk", inference_timeout_secs: 7 };
    put("endpoints.json", { endpoints: [old] });
    const state = await home.open();
    const [endpoint] = await state.endpoints.list();
    expect(endpoint).toMatchObject({ name: "a", inferenceTimeoutMs: 7000, hasApiKey: true });
    expect([...(await state.endpoints.apiKeys()).values()]).toEqual(["sk"]);
  });

  test("requests come into the history and the statistics, redacted", async () => {
    const failed = { ...REQUEST, id: "r2", status: { type: "error", message: "boom" } };
    put("request_history.json", [REQUEST, failed]);
    const state = await home.open();
    expect(await state.requests.get("r1")).toMatchObject({
      ...{ endpointId: NODE.id, endpointName: "gpu-1", succeeded: true, durationMs: 250 },
      ...{ startedAt: Date.UTC(2025, 11, 1, 10), inputTokens: 3, tokenSource: "usage" },
      requestBody: '{"messages":[{"content":"data:image/png;<3 bytes redacted>"}]}',
    });
    expect(await state.requests.get("r2")).toMatchObject({ succeeded: false, error: "boom" });
    expect(await state.usage.totals()).toMatchObject({ requests: 2, failed: 1, inputTokens: 6 });
  });

  test("models are remembered for whoever registers them again", async () => {
    put("models.json", [{ name: "m", repo: "o/r", filename: "f.gguf", size: 5, tags: ["a"] }]);
    const state = await home.open();
    const more = { source: null, description: null, chatTemplate: null, sizeBytes: 5 };
    expect(await state.importedModels()).toEqual([
      { name: "m", repo: "o/r", filename: "f.gguf", tags: ["a"], ...more },
    ]);
  });

  test("add to what is there, and an earlier import's file is kept", async () => {
    const state = await home.open();
    await createEndpoint(state, { name: "gpu-1", baseUrl: "http://192.168.1.5:11435/" });
    await state.close();
    put("nodes.json", [NODE, { ...NODE, id: "x", ip_address: "10.0.0.1" }]);
    writeFileSync(at("nodes.json.migrated"), "older");
    const again = await home.open();
    const names = (await again.endpoints.list()).map(({ name }) => name);
    expect(names.sort()).toEqual(["gpu-1", "gpu-1 (2)"]);
    expect(readFileSync(at("nodes.json.migrated"), "utf8")).toBe("older");
    expect(existsSync(at("nodes.json.2.migrated"))).toBe(true);
  });
});

describe("a broken file", () => {
  test.each([
    ["nodes.json", "{ not json"],
    ["nodes.json", '"text"'],
    ["nodes.json", JSON.stringify([NODE, { machine_name: "b" }])],
    ["nodes.json", JSON.stringify([{ ...NODE, ip_address: "not an address" }])],
    ["endpoints.json", JSON.stringify([{ name: "a", base_url: "ftp://x" }])],
    ["models.json", JSON.stringify([{ name: "" }])],
    ["request_history.json", JSON.stringify([REQUEST, { ...REQUEST, timestamp: "yesterday" }])],
  ])("%s is reported and left as it is, and nothing of it is taken: %s", async (name, text) => {
    writeFileSync(at(name), text);
    const state = await home.open();
    expect(await state.endpoints.list()).toEqual([]);
    expect(await state.requests.count({})).toBe(0);
    expect(readFileSync(at(name), "utf8")).toBe(text);
    expect(jsonFiles()).toEqual([name]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: "legacy.unreadable", fields: { file: at(name) } });
  });

  test("does not keep the others out", async () => {
    writeFileSync(at("endpoints.json"), "{");
    put("nodes.json", [NODE]);
    expect(await (await home.open()).endpoints.list()).toHaveLength(1);
  });
});

describe("a file that was taken in but not renamed", () => {
  test("is only renamed", async () => {
    put("nodes.json", [NODE]);
    put("request_history.json", [REQUEST]);
    const state = await home.open();
    await state.endpoints.remove(NODE.id);
    await state.close();
    for (const name of jsonFiles()) renameSync(at(name), at(name.replace(".migrated", "")));
    const again = await home.open();
    expect(await again.endpoints.list()).toEqual([]);
    expect((await again.usage.totals()).requests).toBe(1);
    expect(jsonFiles().sort()).toEqual(["nodes.json.migrated", "request_history.json.migrated"]);
  });

  test("stays so when the process is killed right after the commit", async () => {
    put("request_history.json", [REQUEST]);
    const script = at("child.ts");
    const database = JSON.stringify(join(import.meta.dir, "../database.ts"));
    const fixture = JSON.stringify(join(import.meta.dir, "../../testkit/state.ts"));
    writeFileSync(
      script,
      `import { mock } from "bun:test";
       import * as fs from "node:fs";
       const renameSync = () => process.kill(process.pid, "SIGKILL");
       mock.module("node:fs", () => ({ ...fs, renameSync }));
       const { openState } = await import(${database});
       const { silent } = await import(${fixture});
       await openState({ home: process.argv[2] ?? "", log: silent });`,
    );
    const child = Bun.spawn([process.execPath, script, home.path], { stderr: "inherit" });
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    expect(jsonFiles()).toEqual(["request_history.json"]);
    const state = await home.open();
    expect((await state.usage.totals()).requests).toBe(1);
    expect(jsonFiles()).toEqual(["request_history.json.migrated"]);
  });

  test("a failure in the middle takes nothing", async () => {
    const state = await home.open();
    await state.close();
    const db = new Database(at("lb.db"));
    db.run(`CREATE TRIGGER no BEFORE INSERT ON endpoints WHEN new.name = 'b'
      BEGIN SELECT RAISE(ABORT, 'no'); END`);
    put("nodes.json", [NODE, { ...NODE, id: "x", machine_name: "b", ip_address: "10.0.0.1" }]);
    const broken = await home.open();
    expect(await broken.endpoints.list()).toEqual([]);
    await broken.close();
    db.run("DROP TRIGGER no");
    db.close();
    expect(await (await home.open()).endpoints.list()).toHaveLength(2);
  });
});
