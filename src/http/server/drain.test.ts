import { expect, test } from "bun:test";
import { Drain } from "./drain.ts";

const cut = () => undefined;

test("close waits for the running requests and refuses new ones", async () => {
  const drain = new Drain();
  const leave = drain.enter("/v1/models", cut);
  const closed = drain.close(60_000);
  expect(drain.closing).toBe(true);
  expect(() => drain.enter("/v1/models", cut)).toThrow(
    expect.objectContaining({ kind: "draining" }),
  );
  expect(drain.enter("/health", cut)).toBeFunction();
  leave();
  leave();
  expect(drain.active).toBe(0);
  expect(await closed).toBe(true);
});

test("close gives up after its time", async () => {
  const drain = new Drain();
  const leave = drain.enter("/v1/models", cut);
  drain.onEnd = leave;
  expect(drain.reason).toBeUndefined();
  expect(await drain.close(1)).toBe(false);
  expect([drain.reason?.kind, drain.active]).toEqual(["draining", 0]);
});

test("close is done at once when nothing runs", async () => {
  expect(await new Drain().close(60_000)).toBe(true);
});
