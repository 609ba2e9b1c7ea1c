import { expect, test } from "bun:test";
import type { ModelProgress } from "../../wire/sync.ts";
import { whyNotReady, workerAdvice } from "./unreadiness.ts";

type Node = ModelProgress["nodes"][number];

const NODE: Node = {
  ...{ node: "a", state: "ready", revision: null, files: [], progress: null, error: null },
};
const failed = { code: "no_space", message: "There is no room on the disk." };
const progress = { bytes: 1, total_bytes: 4 } as Node["progress"];
const WAITING = { ready: false, status: "registered" } as const;

const cases: [Node[], string][] = [
  [[], "no node that is online has it, or fetches it"],
  [[NODE], "a: has it, and will list it shortly"],
  [
    [
      { ...NODE, state: "failed", error: failed },
      { ...NODE, node: "b", state: "pulling", progress },
    ],
    "a: There is no room on the disk.; b: fetches it, 25 %",
  ],
  [[{ ...NODE, state: "waiting" }], "a: waits to fetch it"],
];
test.each(cases)("a model that is not ready says why: %#", (nodes, expected) => {
  expect(whyNotReady(WAITING, nodes)).toBe(expected);
});

test("a model that is ready, or not known yet, needs no node's word", () => {
  expect(whyNotReady({ ready: true, status: "registered" }, [])).toBeUndefined();
  expect(whyNotReady({ ready: false, status: "pending" }, [])).toContain("hub");
});

test("a model that fits with workers says with which, and how", () => {
  expect(workerAdvice("hf/org/m", {})).toBeUndefined();
  expect(workerAdvice("hf/org/m", { proposed_workers: ["a", "b"] })).toBe(
    "it fits no node, but it would with the devices of a and b: \
llmlb model set hf/org/m --workers a,b",
  );
});
