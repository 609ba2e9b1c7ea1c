import { expect, test } from "bun:test";
import { Writable } from "node:stream";
import type { PullProgress } from "../../wire/pull.ts";
import { ProgressBars } from "./progressbar.ts";
import { progressText } from "./progresstext.ts";
import { ProgressEvents, ProgressLines } from "./pullprogress.ts";
import { TransferRate } from "./transferrate.ts";

const MIB = 2 ** 20;

type File = PullProgress["files"][number];

function file(name: string, state: File["state"], bytes: number, total: number | null = 4 * MIB) {
  return { name, state, bytes, total_bytes: total };
}

function progress(given: Partial<PullProgress> = {}): PullProgress {
  const files = given.files ?? [file("a.gguf", "downloading", MIB)];
  return {
    ...{ model: "hf/a/b", state: "downloading", file: "a.gguf", rate_bytes_per_s: MIB, eta_s: 3 },
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    total_bytes: files.reduce((sum, { total_bytes: total, bytes }) => sum + (total ?? bytes), 0),
    ...{ files, error: null },
    ...given,
  };
}

/** A terminal that keeps what is written to it. */
function screen(columns = 120) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      written.push(String(chunk));
      done();
    },
  });
  const terminal = Object.assign(stream, { isTTY: true, columns, rows: 30 });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal acts on
  const controls = /(?:\x1b\[[?0-9]*[A-Za-z]|\r|\n)+/;
  const lines = () =>
    written
      .join("")
      .split(controls)
      .filter((line) => line.trim() !== "");
  return { terminal, lines };
}

test("lines come every few seconds, and not twice the same", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const display = new ProgressLines(
    (text) => lines.push(text),
    () => nowMs,
  );
  for (nowMs = 0; nowMs <= 15_000; nowMs += 250) display.show(progress());
  expect(lines).toEqual(["hf/a/b: 1 MiB of 4 MiB (25 %), 1 MiB/s, 3 s left\n"]);
  nowMs += 10_000;
  display.show(progress({ files: [file("a.gguf", "downloading", 2 * MIB)], eta_s: null }));
  expect(lines[1]).toBe("hf/a/b: 2 MiB of 4 MiB (50 %), 1 MiB/s\n");
  nowMs += 10_000;
  display.show(progress({ state: "failed", error: "it is told elsewhere" }));
  expect(lines).toHaveLength(2);
});

test("a line says when it waits, when it checks, and of nothing that it is all there", () => {
  expect(progressText(progress({ state: "waiting" }))).toEndWith("(25 %), waiting");
  expect(progressText(progress({ state: "verifying" }))).toEndWith("(25 %), checking");
  expect(progressText(progress({ state: "done", files: [] }))).toBe("hf/a/b: 0 B of 0 B (100 %)");
});

test("events are one object a line, and leave the last one to who knows the outcome", () => {
  const lines: string[] = [];
  const display = new ProgressEvents((text) => lines.push(text));
  display.show(progress());
  display.show(progress({ state: "done" }));
  display.end();
  expect(lines.map((text) => JSON.parse(text))).toEqual([progress()]);
  expect(lines[0]).toEndWith("}\n");
});

test("bars show each file and all of them, with rate and time left", () => {
  const { terminal, lines } = screen();
  let nowMs = 0;
  const display = new ProgressBars(terminal, () => nowMs);
  const other = file("other-part-with-a-long-name-00001-of-00002.gguf", "waiting", 0);
  display.show(progress({ files: [file("a.gguf", "downloading", 0), other] }));
  nowMs = 1000;
  display.show(progress({ files: [file("a.gguf", "downloading", MIB), other] }));
  const { state: _, ...rest } = other;
  const both = [file("a.gguf", "downloading", 2 * MIB), { ...rest, state: "downloading" as const }];
  nowMs = 2000;
  display.show(progress({ files: both }));
  display.end();
  const shown = lines().slice(-3);
  expect(shown[0]).toMatch(/^all files +█+░+ +25 % {2}2 MiB of 8 MiB, 1 MiB\/s, 3 s left$/);
  expect(shown[1]).toMatch(/^a\.gguf +█+░+ +50 % {2}2 MiB of 4 MiB, 1 MiB\/s, 2 s left$/);
  expect(shown[2]).toMatch(/^other-par…-00001-of-00002\.gguf ░+ +0 % {2}0 B of 4 MiB$/);
  for (const line of shown) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(120);
});

test("bars keep to a few lines, and tell what had come of a file that failed", () => {
  const { terminal, lines } = screen();
  const display = new ProgressBars(terminal);
  const names = Array.from({ length: 20 }, (_, i) => `part-${i}.gguf`);
  for (const [i, name] of names.entries()) {
    const before = names.slice(0, i).map((past) => file(past, "done", 4 * MIB));
    display.show(progress({ files: [...before, file(name, "downloading", MIB)] }));
  }
  const failed = names.map((name) => file(name, "failed", 0));
  display.show(progress({ state: "failed", files: failed }));
  display.end();
  const shown = lines().slice(-7);
  expect(shown[0]).toStartWith("all files");
  expect(shown[6]).toMatch(/^part-19\.gguf .* 1 MiB of 4 MiB, failed$/);
});

test("a rate is that of the last seconds, and begins anew with the file", () => {
  const rate = new TransferRate();
  expect(rate.perSecond()).toBe(0);
  for (let s = 0; s <= 10; s += 1) rate.at(s < 5 ? 0 : (s - 5) * 100, s * 1000);
  expect(rate.perSecond()).toBe(100);
  rate.at(0, 11_000);
  expect(rate.perSecond()).toBe(0);
});
