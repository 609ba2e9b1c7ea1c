import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createEndpoint, makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";

let home: StateHome;
let state: State;

beforeEach(async () => {
  home = makeStateHome();
  state = await home.open();
});
afterEach(() => home.remove());

describe("an endpoint", () => {
  test("has the defaults of the contract", async () => {
    const before = Date.now();
    const endpoint = await createEndpoint(state, { name: "gpu 1", baseUrl: "http://gpu1:8080" });
    expect(endpoint).toMatchObject({
      name: "gpu 1",
      baseUrl: "http://gpu1:8080",
      hasApiKey: false,
      status: "pending",
      type: null,
      healthIntervalMs: null,
      inferenceTimeoutMs: null,
      capabilities: ["chat_completion"],
      errorCount: 0,
      inferenceLatencyMs: null,
      lastSeenAt: null,
    });
    expect(endpoint.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(endpoint.registeredAt).toBeGreaterThanOrEqual(before);
    expect(await state.endpoints.get(endpoint.id)).toEqual(endpoint);
  });

  test("keeps every field over a restart", async () => {
    const device = { name: "H100", total_memory_bytes: 80, used_memory_bytes: 1 };
    const { id } = await createEndpoint(state, {
      ...{ id: "chosen", name: "ä", baseUrl: "https://a/x/", apiKey: "sk", nodeId: "node 1" },
      ...{ type: "vllm", healthIntervalMs: 10_000, inferenceTimeoutMs: 5000, notes: "n" },
      ...{ capabilities: ["embeddings"], slots: 4, registeredAt: 1 },
      deviceInfo: { device_type: "gpu", gpu_devices: [device] },
    });
    state.endpoints.saveLatency(id, { ms: 116, measuredAt: 7 });
    const health = { status: "online", latencyMs: 3.5, lastSeenAt: 8 } as const;
    state.endpoints.saveHealth(id, { ...health, lastError: null, errorCount: 0 });
    expect(await state.writes.flush()).toBe(true);
    const endpoint = await state.endpoints.get(id);
    expect(endpoint).toMatchObject({ ...health, inferenceLatencyMs: 116, inferenceMeasuredAt: 7 });
    expect(endpoint?.deviceInfo?.gpu_devices).toEqual([device]);
    await state.close();
    state = await home.open();
    expect(await state.endpoints.list()).toEqual(endpoint === undefined ? [] : [endpoint]);
  });

  test("is found by name, address and node, with case as it counts", async () => {
    const given = { name: "Gpu", baseUrl: "http://gpu:80/v1", nodeId: "n" };
    const endpoint = await createEndpoint(state, given);
    expect(await state.endpoints.byName("Gpu")).toEqual(endpoint);
    expect(await state.endpoints.byName("gpu")).toBeUndefined();
    expect(await state.endpoints.byUrl("HTTP://GPU/")).toEqual(endpoint);
    expect(await state.endpoints.byNode("n")).toEqual(endpoint);
  });

  test("collides by name, address and node", async () => {
    await createEndpoint(state, { name: "a", baseUrl: "http://a:1", nodeId: "n" });
    const { endpoints } = state;
    expect(await endpoints.create({ name: "a", baseUrl: "http://b" })).toEqual({ taken: "name" });
    expect(await endpoints.create({ name: "b", baseUrl: "http://A:1/v1/" })).toEqual({
      taken: "url",
    });
    const third = await createEndpoint(state, { name: "A", baseUrl: "http://b:1" });
    expect(await endpoints.update(third.id, { name: "a" })).toEqual({ taken: "name" });
    expect(await endpoints.update(third.id, { baseUrl: "http://a:1/" })).toEqual({ taken: "url" });
    expect(await endpoints.update(third.id, { nodeId: "n" })).toEqual({ taken: "node" });
  });

  test("is changed in parts; null clears", async () => {
    const given = { baseUrl: "http://a", notes: "n", apiKey: "sk" };
    const { id } = await createEndpoint(state, { name: "a", ...given });
    const updated = await state.endpoints.update(id, { name: "b", notes: null, slots: 2 });
    const fields = { name: "b", notes: null, slots: 2, baseUrl: "http://a", hasApiKey: true };
    expect(updated).toMatchObject({ endpoint: fields });
    const cleared = await state.endpoints.update(id, { apiKey: null });
    expect(cleared).toMatchObject({ endpoint: { hasApiKey: false } });
    expect(await state.endpoints.update(id, {})).toEqual(cleared);
    expect(await state.endpoints.update("none", { name: "x" })).toBe("not_found");
  });

  test("goes with its models, and its name is free again", async () => {
    const { id } = await createEndpoint(state, { name: "a", baseUrl: "http://a" });
    await state.models.replace(id, [{ modelId: "m" }]);
    expect(await state.endpoints.remove(id)).toBe(true);
    expect(await state.endpoints.remove(id)).toBe(false);
    expect(await state.models.of(id, { limit: 9 })).toEqual([]);
    await createEndpoint(state, { name: "a", baseUrl: "http://a" });
  });

  test("that is gone is no trouble for what is still to be noted of it", async () => {
    const { id } = await createEndpoint(state, { name: "a", baseUrl: "http://a" });
    state.endpoints.saveLatency(id, { ms: 1, measuredAt: 1 });
    await state.endpoints.remove(id);
    expect(await state.writes.flush()).toBe(true);
    expect(state.writes.dropped).toBe(0);
  });

  test("is listed by state and type, oldest first", async () => {
    await createEndpoint(state, { name: "new", baseUrl: "http://a", registeredAt: 2 });
    await createEndpoint(state, {
      name: "old",
      baseUrl: "http://b",
      registeredAt: 1,
      type: "ollama",
    });
    const names = async (filter = {}) =>
      (await state.endpoints.list(filter)).map(({ name }) => name);
    expect(await names()).toEqual(["old", "new"]);
    expect(await names({ type: "ollama" })).toEqual(["old"]);
    expect(await names({ status: "online" })).toEqual([]);
  });

  test("with unreadable columns reads as if they said nothing", async () => {
    const { id } = await createEndpoint(state, { name: "a", baseUrl: "http://a" });
    const db = new Database(join(home.path, "lb.db"));
    db.run(
      `UPDATE endpoints SET status = 'weird', type = 'x', capabilities = '{"a"',
        device_info = '[]'`,
    );
    db.close();
    const read = { status: "pending", type: null, capabilities: ["chat_completion"] } as const;
    expect(await state.endpoints.get(id)).toMatchObject({ ...read, deviceInfo: null });
  });
});

describe("the API key of an endpoint", () => {
  test("is given for use, in no row, and not readable in any file", async () => {
    const apiKey = "sk-very-secret-0123456789";
    const a = await createEndpoint(state, { name: "a", baseUrl: "http://a", apiKey });
    await createEndpoint(state, { name: "b", baseUrl: "http://b" });
    expect(await state.endpoints.apiKeys()).toEqual(new Map([[a.id, apiKey]]));
    expect(await state.endpoints.apiKeys("none")).toEqual(new Map());
    expect(JSON.stringify(await state.endpoints.list())).not.toContain("very-secret");
    await state.close();
    expect(readFileSync(join(home.path, "lb.db")).includes("very-secret")).toBe(false);
  });

  test("that another secret.key sealed is left out, the others stay", async () => {
    await createEndpoint(state, { name: "a", baseUrl: "http://a", apiKey: "old" });
    await state.close();
    rmSync(join(home.path, "secret.key"));
    state = await home.open();
    const b = await createEndpoint(state, { name: "b", baseUrl: "http://b", apiKey: "new" });
    expect(await state.endpoints.apiKeys()).toEqual(new Map([[b.id, "new"]]));
  });
});
