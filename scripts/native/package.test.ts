import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchPackage, integrityOf, type Pin, unpack } from "./package.ts";

const REGISTRY = "npm_config_registry";
const settingBefore = process.env[REGISTRY];
let folder: string;
let cache: string;
let archive: string;
let registry: Bun.Server<undefined>;
/** What the registry answers for the archive, in turn; the archive itself when used up. */
let answers: Response[];
let asked: number;
let pin: Pin;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "llmlb-package-"));
  cache = join(folder, "cache");
  mkdirSync(cache);
  mkdirSync(join(folder, "package/bins/one"), { recursive: true });
  writeFileSync(join(folder, "package/bins/one/a.so"), "library");
  writeFileSync(join(folder, "package/readme"), "text");
  archive = join(folder, "archive.tgz");
  Bun.spawnSync(["tar", "-czf", "archive.tgz", "package"], { cwd: folder });
  answers = [];
  asked = 0;
  registry = Bun.serve({ port: 0, fetch: answer });
  process.env[REGISTRY] = registry.url.href;
  // A name of its own for each test: the package manager remembers what a registry said.
  const name = `llmlb-test-${process.pid}-${registry.port}`;
  pin = { name, version: "1.2.3", integrity: await integrityOf(archive) };
});

afterEach(() => {
  registry.stop(true);
  rmSync(folder, { recursive: true, force: true });
  if (settingBefore === undefined) delete process.env[REGISTRY];
  else process.env[REGISTRY] = settingBefore;
});

function answer(request: Request): Response {
  if (new URL(request.url).pathname.endsWith(".tgz")) {
    asked += 1;
    return answers.shift() ?? new Response(Bun.file(archive));
  }
  const { name, version, integrity } = pin;
  const dist = { tarball: `${registry.url.href}files/x.tgz`, integrity };
  return Response.json({
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { name, version, dist } },
  });
}

test("a package comes from the registry of the user's settings, once", async () => {
  const file = await fetchPackage(pin, cache, 1);
  expect(readFileSync(file).equals(readFileSync(archive))).toBe(true);
  expect(await fetchPackage(pin, cache, 1)).toBe(file);
  expect(asked).toBe(1);
  expect(readdirSync(cache)).toHaveLength(1);
});

test("a failed download is tried again, up to three times", async () => {
  answers = [new Response("", { status: 503 }), new Response("", { status: 500 })];
  await fetchPackage(pin, cache, 1);
  expect(asked).toBe(3);
  rmSync(cache, { recursive: true });
  mkdirSync(cache);
  answers = [1, 2, 3].map(() => new Response("", { status: 503 }));
  await expect(fetchPackage(pin, cache, 1)).rejects.toThrow("the registry answered 503");
  expect(readdirSync(cache)).toEqual([]);
});

test("other bytes than the pinned ones are refused and not kept", async () => {
  answers = [new Response("something else")];
  await expect(fetchPackage(pin, cache, 1)).rejects.toThrow("its checksum is sha512-");
  expect(asked).toBe(1);
  expect(readdirSync(cache)).toEqual([]);
});

test("a damaged archive in the cache is downloaded anew", async () => {
  const file = await fetchPackage(pin, cache, 1);
  writeFileSync(file, "cut");
  await fetchPackage(pin, cache, 1);
  expect(asked).toBe(2);
  expect(await integrityOf(file)).toBe(pin.integrity);
});

test("unpacking takes one folder's files, or one file, without the folders above", async () => {
  const into = join(folder, "out");
  mkdirSync(into);
  await unpack(archive, "package/bins/one/", into);
  expect(readdirSync(into)).toEqual(["a.so"]);
  await unpack(archive, "package/readme", into);
  expect(readdirSync(into).sort()).toEqual(["a.so", "readme"]);
  await expect(unpack(archive, "package/none", into)).rejects.toThrow("Running tar");
});
