import { expect, test } from "bun:test";
import type { NodeModelState } from "../../wire/sync.ts";
import { isFinished } from "./nodepulls.ts";

function held(node: string, state: NodeModelState) {
  return { node, state, revision: null, files: [], progress: null, error: null };
}

test.each<[NodeModelState | undefined, number, boolean]>([
  ["ready", 0, true],
  ["pulling", 1e9, false],
  ["waiting", 1e9, false],
  ["failed", 2000, false],
  ["failed", 3000, true],
  ["unusable", 3000, true],
  [undefined, 29_000, false],
  [undefined, 30_000, true],
])("a node that says %p is waited for after %d ms: over is %p", (state, elapsedMs, over) => {
  const reports = state === undefined ? [] : [held("b", state)];
  expect(isFinished([held("a", "ready"), ...reports], ["a", "b"], elapsedMs)).toBe(over);
});
