import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFolder } from "./lock.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmlb-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the second waits until the first gives the lock back", async () => {
  const order: string[] = [];
  const first = await lockFolder(folder, () => order.push("first waits"));
  const second = lockFolder(folder, () => order.push("second waits"));
  while (order.length === 0) await Bun.sleep(1);
  order.push("first ends");
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  expect(order).toEqual(["second waits", "first ends"]);
  expect(readdirSync(folder)).toEqual([]);
});

test("the lock of a process that is gone is taken over", async () => {
  const child = Bun.spawn([process.execPath, "--version"], { stdout: "ignore" });
  await child.exited;
  mkdirSync(join(folder, ".lock"));
  writeFileSync(join(folder, ".lock/pid"), String(child.pid));
  await using _lock = await lockFolder(folder, () => expect.unreachable());
});

test("an old lock that nobody signed is taken over", async () => {
  mkdirSync(join(folder, ".lock"));
  const old = new Date(Date.now() - 60_000);
  utimesSync(join(folder, ".lock"), old, old);
  await using _lock = await lockFolder(folder, () => expect.unreachable());
});
