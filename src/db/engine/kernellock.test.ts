import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryHome } from "../../testkit/command.ts";
import { takeKernelLock } from "./kernellock.ts";

const home = temporaryHome();
afterAll(() => home[Symbol.dispose]());

const MODULE = join(import.meta.dir, "kernellock.ts");

/** A process that takes a lock, says whether it has it, and keeps it until it is killed. */
function holder(path: string) {
  const code = `
    const { takeKernelLock } = await import(${JSON.stringify(MODULE)});
    const lock = takeKernelLock(${JSON.stringify(path)});
    console.log(lock === undefined ? "refused" : "held");
    if (lock !== undefined) setInterval(() => lock, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  const said = reader.read().then(({ value }) => new TextDecoder().decode(value).trim());
  return { child, said };
}

test("a lock is held by one of those who ask for it at the same moment", async () => {
  const path = join(home.path, "a.lock");
  const all = [holder(path), holder(path), holder(path)];
  const said = await Promise.all(all.map((one) => one.said));
  expect(said.toSorted()).toEqual(["held", "refused", "refused"]);
  expect(takeKernelLock(path)).toBeUndefined();
  for (const { child } of all) child.kill("SIGKILL");
  await Promise.all(all.map(({ child }) => child.exited));
  const lock = takeKernelLock(path);
  expect(lock).toBeDefined();
  lock?.release();
  const again = takeKernelLock(path);
  expect(again).toBeDefined();
  again?.release();
});

test("a file that cannot be written has no lock", () => {
  expect(() => takeKernelLock(join(home.path, "none", "a.lock"))).toThrow();
});
