import { afterEach, expect, test } from "bun:test";
import { stopSignals } from "./signals.ts";

afterEach(() => {
  for (const signal of ["SIGINT", "SIGTERM"]) process.removeAllListeners(signal);
});

test("signals within half a second are one; a later one is the second", async () => {
  let now = 1000;
  const { first, onSecond } = stopSignals(() => now);
  const seconds: string[] = [];
  onSecond((signal) => seconds.push(signal));
  process.emit("SIGTERM", "SIGTERM");
  expect(await first).toBe("SIGTERM");
  now += 499;
  process.emit("SIGTERM", "SIGTERM");
  process.emit("SIGINT", "SIGINT");
  expect(seconds).toEqual([]);
  now += 1;
  process.emit("SIGINT", "SIGINT");
  expect(seconds).toEqual(["SIGINT"]);
});
