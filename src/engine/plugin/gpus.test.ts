import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seenGpus } from "./gpus.ts";

test("GPUs of makers that compute are seen on the bus, and nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-pci-"));
  const add = (address: string, kind: string, vendor: string) => {
    mkdirSync(join(folder, address));
    writeFileSync(join(folder, address, "class"), `${kind}\n`);
    writeFileSync(join(folder, address, "vendor"), `${vendor}\n`);
  };
  add("0000:01:00.0", "0x030200", "0x10de");
  add("0000:02:00.0", "0x038000", "0x1002");
  add("0000:03:00.0", "0x120000", "0x1002");
  add("0000:00:02.0", "0x030000", "0x8086");
  add("0000:04:00.0", "0x030000", "0x1a03"); // a server's own display
  add("0000:00:1f.0", "0x060100", "0x8086"); // a bridge
  mkdirSync(join(folder, "0000:05:00.0")); // gone
  try {
    expect(seenGpus(folder).map(({ vendor, address }) => `${vendor} ${address}`)).toEqual([
      "Intel 0000:00:02.0",
      "NVIDIA 0000:01:00.0",
      "AMD 0000:02:00.0",
      "AMD 0000:03:00.0",
    ]);
    expect(seenGpus(join(folder, "nowhere"))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
