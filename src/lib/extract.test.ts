import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentHash, type ExtractFile, extractOnce } from "./extract.ts";

let folder: string;
let into: string;
let files: ExtractFile[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmlb-extract-"));
  into = join(folder, "native", "abc123");
  files = ["one.bin", "two.bin"].map((name, i) => {
    const source = join(folder, name);
    writeFileSync(source, new Uint8Array(300_000).fill(i + 1));
    return { name, source };
  });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function expectWhole(): void {
  expect(readdirSync(join(folder, "native"))).toEqual(["abc123"]);
  expect(readdirSync(into).sort()).toEqual(["one.bin", "two.bin"]);
  for (const { name, source } of files) {
    expect(readFileSync(join(into, name)).equals(readFileSync(source))).toBe(true);
  }
}

test("eight extractions at once in one process leave one whole folder", async () => {
  const results = await Promise.all(Array.from({ length: 8 }, () => extractOnce({ into, files })));
  expect(results).toEqual(Array(8).fill(into));
  expectWhole();
});

test("eight processes at once leave one whole folder", async () => {
  const script = join(folder, "child.ts");
  const module = JSON.stringify(join(import.meta.dir, "extract.ts"));
  writeFileSync(
    script,
    `import { extractOnce } from ${module};
     await extractOnce(JSON.parse(process.argv[2] ?? ""));`,
  );
  const children = Array.from({ length: 8 }, () =>
    Bun.spawn([process.execPath, script, JSON.stringify({ into, files })], { stdout: "ignore" }),
  );
  expect(await Promise.all(children.map((child) => child.exited))).toEqual(Array(8).fill(0));
  expectWhole();
});

test("a complete folder is used as it is", async () => {
  await extractOnce({ into, files });
  writeFileSync(join(into, "one.bin"), new Uint8Array(300_000).fill(9));
  await extractOnce({ into, files });
  expect(readFileSync(join(into, "one.bin"))[0]).toBe(9);
});

test("a folder with a file of another size is replaced", async () => {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, "one.bin"), "cut");
  await extractOnce({ into, files });
  expectWhole();
});

test("a broken folder met by eight at once is replaced", async () => {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, "one.bin"), "cut");
  await Promise.all(Array.from({ length: 8 }, () => extractOnce({ into, files })));
  expectWhole();
});

test("leftovers older than an hour are removed, younger ones kept", async () => {
  for (const name of ["abc123.tmp-1-old", "abc123.tmp-2-new", "other.tmp-3-old"]) {
    const path = join(folder, "native", name);
    mkdirSync(path, { recursive: true });
    const age = name.endsWith("old") ? 7_200_000 : 0;
    utimesSync(path, new Date(Date.now() - age), new Date(Date.now() - age));
  }
  await extractOnce({ into, files });
  const left = readdirSync(join(folder, "native")).sort();
  expect(left).toEqual(["abc123", "abc123.tmp-2-new", "other.tmp-3-old"]);
});

test("a source that is missing or has another size fails and leaves nothing", async () => {
  const missing = [{ name: "gone.bin", source: join(folder, "gone.bin"), sizeBytes: 3 }];
  await expect(extractOnce({ into, files: missing })).rejects.toThrow();
  const short = files.map((file) => ({ ...file, sizeBytes: 5 }));
  await expect(extractOnce({ into, files: short })).rejects.toThrow("sizes came out wrong");
  const nested = [{ name: "a/b", source: "x" }];
  await expect(extractOnce({ into, files: nested })).rejects.toThrow("must not contain a folder");
  expect(readdirSync(join(folder, "native"))).toEqual([]);
});

test("the content hash depends on every byte", async () => {
  const sources = files.map((file) => file.source);
  const before = await contentHash(sources);
  expect(before).toMatch(/^[0-9a-f]{16}$/);
  expect(await contentHash(sources)).toBe(before);
  writeFileSync(sources[1] ?? "", "other");
  expect(await contentHash(sources)).not.toBe(before);
});
