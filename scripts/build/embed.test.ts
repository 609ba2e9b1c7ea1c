import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddedLibraries } from "../../src/engine/embedded.ts";
import { moduleFor } from "./embed.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmlb-embed-"));
  writeFileSync(join(folder, "libb.so"), "bb");
  writeFileSync(join(folder, "liba.so"), "a");
  writeFileSync(join(folder, "build.json"), "{}");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function load(): Promise<EmbeddedLibraries> {
  const file = join(folder, `${crypto.randomUUID()}.ts`);
  const source = moduleFor(folder);
  writeFileSync(file, source);
  const module = await import(file);
  rmSync(file);
  return module.embeddedLibraries();
}

test("the module of the executable names every library with its path and size", async () => {
  const { files } = await load();
  expect(files.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
    ["liba.so", 1],
    ["libb.so", 2],
  ]);
  expect(files.map(({ path }) => readFileSync(path, "utf8"))).toEqual(["a", "bb"]);
});

test("its hash follows the contents and the names of the libraries", async () => {
  const { hash } = await load();
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect((await load()).hash).toBe(hash);
  writeFileSync(join(folder, "libb.so"), "bc");
  expect((await load()).hash).not.toBe(hash);
});
