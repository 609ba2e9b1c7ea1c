import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { createEndpoint, failureOf, makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";

let home: StateHome;
let state: State;
let id: string;

beforeEach(async () => {
  home = makeStateHome();
  state = await home.open();
  id = (await createEndpoint(state, { name: "a", baseUrl: "http://a" })).id;
});
afterEach(() => home.remove());

const ALL = { limit: 100_000 };
const find = async (endpointId: string, modelId: string) =>
  (await state.models.of(endpointId, ALL)).find((model) => model.modelId === modelId);
const ids = async () => (await state.models.of(id, ALL)).map(({ modelId }) => modelId);

test("a list is replaced as a whole and counts what changed", async () => {
  const first = await state.models.replace(id, [{ modelId: "b" }, { modelId: "a" }], 5);
  expect(first).toEqual({ added: 2, removed: 0, updated: 0 });
  const second = await state.models.replace(id, [{ modelId: "c" }, { modelId: "a" }]);
  expect(second).toEqual({ added: 1, removed: 1, updated: 1 });
  expect(await ids()).toEqual(["a", "c"]);
  expect((await state.endpoints.get(id))?.modelCount).toBe(2);
  expect(await state.models.replace(id, [])).toEqual({ added: 0, removed: 2, updated: 0 });
  expect(await ids()).toEqual([]);
});

test("a model keeps what the endpoint said of it, and changes with that", async () => {
  const model = {
    ...{ modelId: "hf/Org/Name", capabilities: ["chat", "vision"], supportedApis: ["responses"] },
    ...{ maxTokens: 8192, canonicalName: "c", ownedBy: "o", createdAt: 9 },
  };
  await state.models.replace(id, [model]);
  expect(await find(id, "hf/Org/Name")).toEqual(model);
  expect(await find(id, "hf/org/name")).toBeUndefined();
  const updated = await state.models.replace(id, [{ ...model, maxTokens: 1 }]);
  expect(updated).toEqual({ added: 0, removed: 0, updated: 1 });
  expect((await find(id, model.modelId))?.maxTokens).toBe(1);
});

test("empty ids are skipped, of two the first counts, case matters", async () => {
  const given = ["", "a", "a", "A"].map((modelId, maxTokens) => ({ modelId, maxTokens }));
  expect((await state.models.replace(id, given))?.added).toBe(2);
  expect((await find(id, "a"))?.maxTokens).toBe(1);
});

test("an endpoint that does not exist gets no list", async () => {
  expect(await state.models.replace("none", [{ modelId: "a" }])).toBeUndefined();
});

test("the old list stays when the new one cannot be written", async () => {
  await state.models.replace(id, [{ modelId: "a" }]);
  const other = new Database(join(home.path, "lb.db"));
  other.run(`CREATE TRIGGER no BEFORE INSERT ON endpoint_models WHEN new.model_id = 'm99'
    BEGIN SELECT RAISE(ABORT, 'no'); END`);
  const list = Array.from({ length: 100 }, (_, i) => ({ modelId: `m${i}` }));
  expect(await failureOf(state.models.replace(id, list))).toContain("no");
  expect(await ids()).toEqual(["a"]);
  expect((await state.endpoints.get(id))?.modelCount).toBe(1);
  other.run("DROP TRIGGER no");
  other.close();
  expect((await state.models.replace(id, list))?.added).toBe(100);
});

test("lists that come at the same time are not mixed", async () => {
  const lists = ["a", "b", "c"].map((letter) =>
    Array.from({ length: 50 }, (_, i) => ({ modelId: `${letter}${i}` })),
  );
  await Promise.all(lists.map((list) => state.models.replace(id, list)));
  const left = await ids();
  expect(left).toHaveLength(50);
  expect(new Set(left.map((model) => model[0])).size).toBe(1);
});

test("the same list of 10,000 models again costs next to nothing", async () => {
  const list = Array.from({ length: 10_000 }, (_, i) => ({ modelId: `model-${i}` }));
  expect((await state.models.replace(id, list, 1))?.added).toBe(10_000);
  const startedAt = performance.now();
  const again = await state.models.replace(id, list, 2);
  expect(again).toEqual({ added: 0, removed: 0, updated: 10_000 });
  expect(performance.now() - startedAt).toBeLessThan(500);
  expect((await state.endpoints.get(id))?.modelsSyncedAt).toBe(2);
  expect(await state.models.of(id, { after: "model-9998", limit: 5 })).toHaveLength(1);
});
