import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import pino from "pino";
import { z } from "zod";
import { EngineHome, launchTest, TINY_FILE, TINY_MMPROJ_FILE } from "../testkit/engine.ts";
import { readGgufFile } from "./ggufreader.ts";
import { hyperparametersOf } from "./hyperparameters.ts";
import { estimateMemory } from "./memory.ts";

const MIB = 1024 * 1024;
const Line = z.object({ text: z.string().optional() });

/** Bytes that llama.cpp says it allocates, after it has first tried how much it would be. */
async function allocated(args: string[]) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(Line.parse(JSON.parse(line)).text ?? "");
  const log = pino({ level: "debug" }, { write });
  using home = new EngineHome();
  const engine = await launchTest(home, { log, args });
  const { memoryBytes = {} } = engine.info;
  await engine.stop(0);
  const begun = lines.findLastIndex((line) => /model buffer size =/.test(line));
  const first = lines.slice(0, begun).findLastIndex((line) => /compute buffer size/.test(line));
  const sizes = lines.slice(first + 1).flatMap((line) => {
    const [, kind, size] = /(model|KV|output|compute) buffer size = +([\d.]+) MiB/.exec(line) ?? [];
    return kind === undefined ? [] : [{ kind, bytes: Number(size) * MIB }];
  });
  const sum = (chosen: typeof sizes) => chosen.reduce((total, { bytes }) => total + bytes, 0);
  const cache = sum(sizes.filter(({ kind }) => kind === "KV"));
  const output = sum(sizes.filter(({ kind }) => kind === "output"));
  return { total: sum(sizes), cache, output, told: memoryBytes };
}

/** Where the weights begin in the file of the tiny model. */
const TINY_HEADER_BYTES = 37_248;

async function estimated(args: string[]) {
  const hyperparameters = hyperparametersOf(await readGgufFile(TINY_FILE));
  if (hyperparameters === undefined) throw new Error("the tiny model has no hyperparameters");
  const weightsBytes = statSync(TINY_FILE).size - TINY_HEADER_BYTES;
  return estimateMemory({ weightsBytes, hyperparameters, args: ["--parallel", "4", ...args] });
}

// Without repacking, which keeps some weights a second time on some processors.
const CASES = [
  "--no-repack --ctx-size 8192",
  "--no-repack --ctx-size 32768",
  "--no-repack --ctx-size 8192 --ubatch-size 128",
  "--no-repack --ctx-size 8192 --parallel 1",
  "--no-repack --ctx-size 8192 --kv-unified",
  "--no-repack --ctx-size 8192 --flash-attn off",
  "--no-repack --ctx-size 16384 --cache-type-k q8_0 --cache-type-v q8_0",
];

test.each(CASES)("what llama.cpp allocates is estimated within a tenth: %s", async (words) => {
  const args = words.split(" ");
  const [real, guess] = [await allocated(args), await estimated(args)];
  expect(real.total).toBeGreaterThan(5 * MIB);
  expect(guess.total / real.total).toBeGreaterThan(0.9);
  expect(guess.total / real.total).toBeLessThan(1.1);
  expect(Math.abs(guess.cache - real.cache)).toBeLessThan(0.05 * MIB);
  // What the engine itself tells is the same, but for the scores of the last tokens.
  expect(Object.keys(real.told)).toEqual(["host"]);
  expect(Math.abs((real.told.host ?? 0) + real.output - real.total)).toBeLessThan(0.05 * MIB);
});

test("an image projector has no hyperparameters: it takes its file's size", async () => {
  expect(hyperparametersOf(await readGgufFile(TINY_MMPROJ_FILE))).toBeUndefined();
});
