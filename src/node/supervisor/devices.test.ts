import { expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import type { Device } from "../../wire/system.ts";
import { Devices } from "./devices.ts";

const log = createLogger({ level: "silent" });
const device = (name: string): Device => ({
  name,
  description: name,
  type: "cpu",
  total_memory_bytes: 2,
  free_memory_bytes: 1,
});

test("devices are read once, kept for 10 s, then renewed behind the old answer", async () => {
  let nowMs = 0;
  let reads = 0;
  const probe = async () => [device(`read ${++reads}`)];
  const devices = new Devices({ probe, home: "", log, nowMs: () => nowMs });
  const names = async () => (await devices.list()).map(({ name }) => name);

  expect(await Promise.all([names(), names()])).toEqual([["read 1"], ["read 1"]]);
  nowMs = 10_000;
  expect(await names()).toEqual(["read 1"]);
  nowMs = 10_001;
  expect(await names()).toEqual(["read 1"]);
  expect(await names()).toEqual(["read 2"]);
  expect(reads).toBe(2);
});

test("a probe that fails leaves what was known", async () => {
  let nowMs = 0;
  const answers = [Promise.resolve([device("a")])];
  const probe = () => answers.shift() ?? Promise.reject(new Error("driver gone"));
  const devices = new Devices({ probe, home: "", log, nowMs: () => nowMs });
  await devices.list();
  nowMs = 20_000;
  expect(await devices.list()).toHaveLength(1);
  expect(await devices.list()).toHaveLength(1);
});
