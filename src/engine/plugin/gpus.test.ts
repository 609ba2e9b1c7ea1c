import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasGpuDriver, seenGpus } from "./gpus.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llmlb-gpus-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function addDevice(address: string, kind: string, vendor: string): string {
  const folder = join(root, "bus/pci/devices", address);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "class"), `${kind}\n`);
  writeFileSync(join(folder, "vendor"), `${vendor}\n`);
  return folder;
}

test("GPUs of makers that compute are seen on the bus, and nothing else", () => {
  addDevice("0000:01:00.0", "0x030200", "0x10de");
  addDevice("0000:02:00.0", "0x038000", "0x1002");
  addDevice("0000:03:00.0", "0x120000", "0x1002");
  addDevice("0000:00:02.0", "0x030000", "0x8086");
  addDevice("0000:04:00.0", "0x030000", "0x1a03"); // a server's own display
  addDevice("0000:00:1f.0", "0x060100", "0x8086"); // a bridge
  mkdirSync(join(root, "bus/pci/devices/0000:05:00.0")); // gone
  expect(seenGpus(root).map(({ vendor, address }) => `${vendor} ${address}`)).toEqual([
    "Intel 0000:00:02.0",
    "NVIDIA 0000:01:00.0",
    "AMD 0000:02:00.0",
    "AMD 0000:03:00.0",
  ]);
  expect(seenGpus(join(root, "nowhere"))).toEqual([]);
});

test("a GPU's driver is told, with its version where it has one", () => {
  const modules = { nvidia: "580.65.06\n", amdgpu: undefined };
  for (const [name, version] of Object.entries(modules)) {
    mkdirSync(join(root, "module", name), { recursive: true });
    if (version !== undefined) writeFileSync(join(root, "module", name, "version"), version);
  }
  symlinkSync("../../drivers/nvidia", join(addDevice("1", "0x030000", "0x10de"), "driver"));
  symlinkSync("../../drivers/amdgpu", join(addDevice("2", "0x030000", "0x1002"), "driver"));
  addDevice("3", "0x030000", "0x8086");
  expect(seenGpus(root)).toEqual([
    { vendor: "NVIDIA", address: "1", driver: "nvidia", driverVersion: "580.65.06" },
    { vendor: "AMD", address: "2", driver: "amdgpu" },
    { vendor: "Intel", address: "3" },
  ]);
});

test.each([
  [[], false],
  [["dri/card0"], false],
  [["dri/card0", "dri/renderD128"], true],
  [["nvidiactl"], true],
  [["dxg"], true],
])("with the device files %j there is a driver for GPUs: %p", (files, expected) => {
  mkdirSync(join(root, "dri"));
  for (const file of files) writeFileSync(join(root, file), "");
  expect(hasGpuDriver(root)).toBe(expected);
});
