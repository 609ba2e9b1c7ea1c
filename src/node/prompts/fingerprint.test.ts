import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promptFingerprint } from "./fingerprint.ts";

const folder = mkdtempSync(join(tmpdir(), "llmlb-fingerprint-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, "GGUF");
  return path;
}

const path = written("model-00001-of-00002.gguf");
const part = written("model-00002-of-00002.gguf");
const adapter = written("adapter.gguf");
const base = {
  ...{ path, fingerprint: "model", env: { HOME: "/root", LLAMA_ARG_THREADS: "1" } },
  args: ["--ctx-size", "4096", "--lora-scaled", `${adapter}:0.5`],
};

test("the same files and arguments have the same fingerprint", async () => {
  const again = { ...base, env: { ...base.env, HOME: "/home" } };
  expect(await promptFingerprint(again)).toBe(await promptFingerprint(base));
});

test("whatever computes otherwise has another one", async () => {
  const all = [
    base,
    { ...base, fingerprint: "changed" },
    { ...base, mmproj: adapter },
    { ...base, args: [...base.args, "--cache-type-k", "q8_0"] },
    { ...base, args: ["--ctx-size", "8192", ...base.args.slice(2)] },
    { ...base, env: { LLAMA_ARG_THREADS: "2" } },
  ];
  const prints = await Promise.all(all.map(promptFingerprint));
  expect(new Set(prints).size).toBe(all.length);
  for (const file of [part, adapter]) {
    const before = await promptFingerprint(base);
    utimesSync(file, 1, Math.random() * 1e6);
    expect(await promptFingerprint(base)).not.toBe(before);
  }
});
