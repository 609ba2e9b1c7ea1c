import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddedLibraries } from "../../src/engine/embedded.ts";
import { type ExtractFile, extractOnce } from "../../src/lib/extract.ts";
import { filesToEmbed, moduleFor } from "./embed.ts";

let folder: string;
let libraries: string;
let plugins: string;
let cache: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmlb-embed-"));
  [libraries, plugins, cache] = ["own", "plugins", "cache"].map((name) => join(folder, name)) as [
    ...[string, string, string],
  ];
  mkdirSync(libraries);
  mkdirSync(plugins);
  writeFileSync(join(libraries, "libb.so"), "bb");
  writeFileSync(join(libraries, "liba.so"), "a");
  writeFileSync(join(libraries, "build.json"), "{}");
  writeFileSync(join(plugins, "libggml-vulkan.so"), "c".repeat(10_000));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Module {
  embeddedLibraries(): EmbeddedLibraries;
  embeddedPlugins(): ExtractFile[];
}

async function load(withPlugins = true): Promise<Module> {
  const file = join(folder, `${crypto.randomUUID()}.ts`);
  const files = withPlugins ? [join(plugins, "libggml-vulkan.so")] : [];
  const options = { libraries, plugins: files, cache };
  writeFileSync(file, moduleFor(await filesToEmbed(options)));
  const module = await import(file);
  rmSync(file);
  return module;
}

test("what the executable brings along is unpacked as it was", async () => {
  const module = await load();
  const own = await extractOnce({ ...module.embeddedLibraries(), into: join(folder, "out") });
  expect(readdirSync(own).sort()).toEqual(["liba.so", "libb.so"]);
  expect(readFileSync(join(own, "libb.so"), "utf8")).toBe("bb");
  const into = join(folder, "vulkan");
  await extractOnce({ files: module.embeddedPlugins(), into });
  expect(readFileSync(join(into, "libggml-vulkan.so"), "utf8")).toBe("c".repeat(10_000));
});

test("where there is no backend for GPUs, none is embedded", async () => {
  expect((await load(false)).embeddedPlugins()).toEqual([]);
});

test("a library is compressed, once", async () => {
  const [plugin] = (await load()).embeddedPlugins();
  expect(Bun.file(plugin?.source ?? "").size).toBeLessThan(1000);
  const before = readdirSync(cache).sort();
  expect(before).toHaveLength(3);
  await load();
  expect(readdirSync(cache).sort()).toEqual(before);
});

test("its hash follows the contents and the names of the libraries", async () => {
  const hashNow = async () => (await load()).embeddedLibraries().hash;
  const hash = await hashNow();
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(await hashNow()).toBe(hash);
  writeFileSync(join(libraries, "libb.so"), "bc");
  expect(await hashNow()).not.toBe(hash);
});
