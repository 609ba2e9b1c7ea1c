import { describe, expect, test } from "bun:test";
import { Semaphore } from "./semaphore.ts";

describe("a semaphore", () => {
  const never = new AbortController().signal;

  test("serves in the order of asking, and forgets who left", async () => {
    const semaphore = new Semaphore(1);
    const order: string[] = [];
    const first = await semaphore.acquire(never);
    const abort = new AbortController();
    const left = semaphore.acquire(abort.signal).catch(() => order.push("left"));
    const second = semaphore.acquire(never).then((permit) => {
      order.push("second");
      permit[Symbol.dispose]();
    });
    abort.abort(new Error("gone"));
    await left;
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await second;
    (await semaphore.acquire(never))[Symbol.dispose]();
    expect(order).toEqual(["left", "second"]);
  });
});
