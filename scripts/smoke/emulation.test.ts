import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emulationFor, registration } from "./emulation.ts";

test("what is for this machine, or is no program of Linux, needs no help", async () => {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-emulation-"));
  try {
    const script = join(folder, "script");
    writeFileSync(script, "#!/bin/sh\n");
    expect(await emulationFor(script)).toBeUndefined();
    expect(await emulationFor(process.execPath)).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the kernel is told which programs QEMU runs", () => {
  const qemu = "/usr/bin/qemu-aarch64-static";
  const [, line = ""] = registration({ qemu, libraries: "/l", loader: "/lib/ld.so" });
  const [, , , , magic = "", mask = ""] = line.split(":");
  const bytes = (text: string) => [...text.matchAll(/\\x(..)/g)].map(([, hex]) => `0x${hex}`);
  expect(bytes(magic)).toHaveLength(20);
  expect(bytes(mask)).toHaveLength(20);
  // An ELF of 64 bits, little-endian, that is a program, for ARM64.
  const start = magic.replaceAll("\\x", "");
  expect([start.slice(0, 12), start.slice(-8)]).toEqual(["7f454c460201", "0200b700"]);
  expect(line).toEndWith(`:${qemu}:F' > /proc/sys/fs/binfmt_misc/register`);
});
