import { expect, test } from "bun:test";
import { Drain } from "./drain.ts";

test("close waits for the running requests and refuses new ones", async () => {
  const drain = new Drain();
  const leave = drain.enter("/v1/models");
  const closed = drain.close(60_000);
  expect(drain.closing).toBe(true);
  expect(() => drain.enter("/v1/models")).toThrow(expect.objectContaining({ kind: "draining" }));
  expect(drain.enter("/health")).toBeFunction();
  leave();
  leave();
  expect(drain.active).toBe(0);
  expect(await closed).toBe(true);
});

test("close gives up after its time", async () => {
  const drain = new Drain();
  drain.enter("/v1/models");
  expect(await drain.close(1)).toBe(false);
});

test("close is done at once when nothing runs", async () => {
  expect(await new Drain().close(60_000)).toBe(true);
});
