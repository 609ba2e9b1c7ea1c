import { describe, expect, test } from "bun:test";
import { type ReadinessFacts, readinessOf } from "./readiness.ts";

const READY: ReadinessFacts = {
  ...{ closing: false, syncing: false, joining: undefined, loading: false },
  engines: [{ state: "ready" }],
};
const FAILED = { state: "failed", error: "it is damaged" } as const;

describe("a node is", () => {
  const cases: [Partial<ReadinessFacts>, object][] = [
    [{}, { status: "ready" }],
    [{ engines: [] }, { status: "ready" }],
    [{ engines: [FAILED] }, { status: "model_failed", reason: "it is damaged" }],
    // Its back-off is over: nobody has tried again.
    [
      { engines: [{ state: "unloaded", error: "no memory" }] },
      { status: "model_failed", reason: "no memory" },
    ],
    [{ engines: [FAILED, { state: "ready" }] }, { status: "ready" }],
    [{ engines: [FAILED, undefined] }, { status: "ready" }],
    [{ engines: [FAILED, FAILED] }, { status: "model_failed", reason: "it is damaged" }],
    [{ loading: true, engines: [undefined] }, { status: "loading" }],
    [
      { joining: "no answer", loading: true },
      { status: "joining", reason: "no answer" },
    ],
    [{ syncing: true, joining: "no answer" }, { status: "syncing" }],
    [{ closing: true, syncing: true, engines: [FAILED] }, { status: "draining" }],
  ];
  test.each(cases)("%j: %j", (facts, expected) => {
    expect(readinessOf({ ...READY, ...facts })).toEqual(expected as never);
  });
});
