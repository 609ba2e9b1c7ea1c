import { expect, test } from "bun:test";
import type { PullStep } from "../../../wire/event.ts";
import type { ListedModel } from "../../api/models.ts";
import { filtered, rowsOf, shareOf, stateOf } from "./state.ts";

function listed(id: string, more: Partial<ListedModel> = {}): ListedModel {
  const nothing = { ready: false, loaded: null, aliases: [], owned_by: "", capabilities: {} };
  return { id, ...nothing, endpoint_ids: [], ...more };
}

function pull(model: string, state: string): PullStep {
  const bytes = { bytes: 50, total_bytes: 200, rate_bytes_per_s: 10, eta_s: 15 };
  return { model, endpoint_name: "n", state, ...bytes, error: null };
}

test("a model is in the state of whatever is nearest to an answer", () => {
  const of = (model: Partial<ListedModel>, states: string[] = [], isLoaded = false) =>
    stateOf(listed("m", model), { isLoaded, pulls: states.map((state) => ({ state })) });
  expect(of({ ready: true }, ["failed"], true)).toBe("loaded");
  expect(of({ ready: true }, ["pulling"])).toBe("ready");
  expect(of({}, ["failed", "waiting"])).toBe("fetching");
  expect(of({ lifecycle_status: "caching" })).toBe("fetching");
  expect(of({}, ["failed", "unusable"])).toBe("failed");
  expect(of({ lifecycle_status: "error" })).toBe("failed");
  expect(of({ endpoint_ids: ["gone"] })).toBe("offline");
  expect(of({})).toBe("waiting");
});

test("rows know who has the model loaded, and who fetches it, in whatever case", () => {
  const models = [
    listed("hf/A/b", { repo: "A/b" }),
    listed("found", { ready: true, endpoint_ids: ["one", "two"] }),
    listed("openai:gpt", { ready: true, endpoint_ids: undefined }),
  ];
  const loaded = [
    { model: "found", endpoint: "two", state: "loaded", active_requests: 0 } as const,
  ];
  const rows = rowsOf(models, { loaded, pulls: [pull("hf/a/B", "pulling")] });
  expect(rows.map(({ state, source }) => [state, source])).toEqual([
    ["fetching", "registered"],
    ["loaded", "found"],
    ["ready", "cloud"],
  ]);
  expect(rows[1]?.places.map(({ endpoint }) => endpoint)).toEqual(["two", "one"]);
  expect(rows[0]?.pulls).toHaveLength(1);
});

test("a filter looks at names, aliases and endpoints, and at state and source", () => {
  const rows = rowsOf(
    [
      listed("qwen", { aliases: ["Fast"], endpoint_ids: ["gpu1"], ready: true }),
      listed("llama", { repo: "a/llama" }),
    ],
    { loaded: [], pulls: [] },
  );
  const of = (filter: object) =>
    filtered(rows, { search: "", state: "", source: "", ...filter }).map(({ model }) => model.id);
  expect(of({ search: "fast" })).toEqual(["qwen"]);
  expect(of({ search: "GPU1" })).toEqual(["qwen"]);
  expect(of({ state: "waiting" })).toEqual(["llama"]);
  expect(of({ source: "registered", search: "qwen" })).toEqual([]);
  expect(of({})).toEqual(["qwen", "llama"]);
});

test("a pull of unknown size has no share", () => {
  expect(shareOf({ bytes: 50, total_bytes: 200 })).toBe(0.25);
  expect(shareOf({ bytes: 50, total_bytes: 0 })).toBeUndefined();
});
