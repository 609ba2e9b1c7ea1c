import { expect, test } from "bun:test";
import type { PullStep } from "../../../wire/event.ts";
import type { ModelProgress } from "../../../wire/sync.ts";
import { pullRows } from "./pullrows.ts";

const PROGRESS: ModelProgress = {
  ...{ model: "m", state: "caching", bytes_downloaded: 0, bytes_total: 0, percent: 0 },
  nodes: [
    { node: "b", state: "ready", revision: null, files: [], progress: null, error: null },
    {
      ...{ node: "a", state: "failed", revision: null, files: [], progress: null },
      error: { code: "pull_too_large", message: "Nothing of the model fits" },
    },
  ],
};

function step(endpoint_name: string, state: string): PullStep {
  const rate = { rate_bytes_per_s: 5, eta_s: 18 };
  return { model: "m", endpoint_name, state, bytes: 10, total_bytes: 100, ...rate, error: null };
}

test("nodes are told by name, with the reason of what failed", () => {
  expect(pullRows(PROGRESS, [])).toMatchObject([
    { node: "a", state: "failed", error: "Nothing of the model fits" },
    { node: "b", state: "ready", bytes: 0, error: null },
  ]);
});

test("what has happened since goes before, also of nodes that are new", () => {
  const rows = pullRows(PROGRESS, [step("a", "pulling"), step("c", "dreaming")]);
  expect(rows).toMatchObject([
    { node: "a", state: "pulling", bytes: 10, eta_s: 18, error: null },
    { node: "b", state: "ready" },
    { node: "c", state: "waiting" },
  ]);
});
