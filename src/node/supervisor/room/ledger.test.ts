import { expect, test } from "bun:test";
import type { Device } from "../../../wire/system.ts";
import { Ledger, type MemoryReading } from "./ledger.ts";
import { memoryReader } from "./reading.ts";

const GIB = 1024 ** 3;

/** A ledger on a host that has so much free at its readings, one after the other. */
function ledgerOf(setBytes: number | null, ...free: MemoryReading["free"][]) {
  let reads = 0;
  const read = async () => ({ free: free[Math.min(reads++, free.length - 1)] ?? {}, size: SIZE });
  return new Ledger({ setBytes, read });
}
const SIZE = { GPU: 100 };

test("engines may have what was free at first, and what others take since is gone", async () => {
  const ledger = ledgerOf(null, { GPU: 80, host: 50 }, { GPU: 30, host: 45 });
  expect(await ledger.balance()).toEqual({
    budget: { GPU: 80, host: 50 },
    free: { GPU: 80, host: 50 },
    guessed: new Set(["GPU", "host"]),
  });
  ledger.set("a", { GPU: 20, host: 10 });
  expect((await ledger.balance()).free).toEqual({ GPU: 30, host: 40 });
});

test("what others leave of a device is added, up to its size", async () => {
  const ledger = ledgerOf(
    null,
    { GPU: 10, host: 50 },
    { GPU: 60, host: 90 },
    { GPU: 99, host: 90 },
  );
  await ledger.balance();
  ledger.set("a", { GPU: 10 });
  expect((await ledger.balance()).budget).toEqual({ GPU: 70, host: 50 });
  expect((await ledger.balance()).budget).toEqual({ GPU: 100, host: 50 });
});

test("a sum that is set bounds all together, and devices stay as large as they are", async () => {
  const ledger = ledgerOf(90, { GPU: 80, host: 5 }, { GPU: 60, host: 1 });
  await ledger.balance();
  ledger.set("a", { GPU: 20, host: 30 });
  const { free, guessed } = await ledger.balance();
  expect(free).toEqual({ GPU: 60, all: 40 });
  expect(guessed).toEqual(new Set(["GPU"]));
});

test("devices with their own memory are counted, and some of all stays free", async () => {
  const device = (name: string, type: Device["type"]): Device => ({
    ...{ name, type, description: "" },
    ...{ total_memory_bytes: 8 * GIB, free_memory_bytes: 6 * GIB },
  });
  let available = 16 * GIB;
  const devices = async () => [
    device("CUDA0", "gpu"),
    device("iGPU", "igpu"),
    device("CPU", "cpu"),
  ];
  const read = memoryReader(devices, () => ({ total: 32 * GIB, available }));
  const first = await read();
  expect(first.size).toEqual({ CUDA0: 7 * GIB });
  // An eighth of what may be taken is for kept prompts.
  expect(first.free).toEqual({ CUDA0: 5 * GIB, host: 15.5 * GIB - 15.5 * (GIB / 8) });
  available = 10 * GIB;
  expect((await read()).free.host).toBe(9.5 * GIB);
});
