import { expect, test } from "bun:test";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "../testkit/command.ts";
import { eventually } from "../testkit/eventually.ts";
import { flushLog } from "./log.ts";
import { LogBook } from "./logbook.ts";
import { LogTail } from "./logtail.ts";
import { RotatingFile } from "./rotatingfile.ts";

const { signal } = new AbortController();

function lineAt(ms: number, msg: string, more: object = {}): string {
  const time = new Date(ms).toISOString();
  return `${JSON.stringify({ level: "info", time, pid: 1, ...more, msg })}\n`;
}

test("the tail keeps as many lines and characters as it may, and the newest of them", () => {
  const tail = new LogTail({ linesMax: 3, charsMax: 10_000 });
  for (let i = 1; i <= 50; i += 1) tail.write(lineAt(i, `test.n${i}`));
  const messages = () => tail.recent({}, { max: 10 }).map(({ entry }) => entry.message);
  expect(messages()).toEqual(["test.n48", "test.n49", "test.n50"]);
  tail.write(lineAt(51, "test.long", { text: "x".repeat(9990) }));
  expect(messages()).toEqual(["test.long"]);
  expect(tail.lastNumber).toBe(51);
  expect(tail.recent({}, { max: 10, after: 51 })).toEqual([]);
});

test("lines are chosen by level, model, text and time", () => {
  const tail = new LogTail();
  tail.write(lineAt(1000, "engine.ready", { model: "a" }));
  tail.write(lineAt(2000, "engine.log", { level: "warn", model: "a (embeddings)", text: "Odd" }));
  tail.write(lineAt(3000, "http.request", { level: "error", model: "ab" }));
  tail.write("no line of ours\n");
  const of = (filter: object) => tail.recent(filter, { max: 9 }).map(({ entry }) => entry.message);
  expect(of({ level: "warn" })).toEqual(["engine.log", "http.request"]);
  expect(of({ model: "a" })).toEqual(["engine.ready", "engine.log"]);
  expect(of({ search: "ODD" })).toEqual(["engine.log"]);
  expect(of({ sinceMs: 2000 })).toEqual(["engine.log", "http.request"]);
  expect(tail.recent({}, { max: 1 })[0]?.entry).toEqual({
    timestamp: "1970-01-01T00:00:03.000Z",
    level: "error",
    target: "http",
    message: "http.request",
    fields: { pid: 1, model: "ab" },
  });
});

test("what is not in memory comes of the file and the older one, each line once", async () => {
  using home = temporaryHome();
  const path = join(home.path, "llmlb.log");
  writeFileSync(path, lineAt(1, "test.oldest"));
  renameSync(path, join(home.path, "llmlb.1.log"));
  // More than one read of it, with a line across the border.
  for (let i = 0; i < 1500; i += 1) {
    const text = "ü".repeat(50);
    appendFileSync(path, lineAt(1000 + i, `test.n${i}`, { text }));
  }
  appendFileSync(path, '{"level":"info","time":"cut');
  appendFileSync(path, "\n");
  const file = new RotatingFile({ path, bytesMax: 2 ** 30 });
  const book = new LogBook({ level: "info", file, path, readable: false });
  for (const name of ["a", "b\u202e"]) book.log.info({ name }, "test.own");
  await flushLog(book.log);
  const all = await book.recent({ search: "test." }, 2000, signal);
  expect(all.map(({ message }) => message)).toEqual([
    "test.oldest",
    ...Array.from({ length: 1500 }, (_, i) => `test.n${i}`),
    ...["test.own", "test.own"],
  ]);
  expect(await book.recent({ search: "test." }, 3, signal)).toEqual(all.slice(-3));
  const since = { sinceMs: 1000 + 1490, search: "test.n" };
  expect(await book.recent(since, 2000, signal)).toHaveLength(10);
  expect(await book.recent({ search: "nowhere" }, 5, signal)).toEqual([]);
});

test("another level holds for loggers that were derived before, too", async () => {
  const book = new LogBook({ level: "silent" });
  const child = book.log.child({ part: "engine" });
  const seen = () => book.tail.recent({}, { max: 9 }).map(({ entry }) => entry.message);
  child.debug("test.before");
  book.setLevel("debug");
  child.debug("test.after");
  await eventually(() => seen().length > 0 || undefined);
  expect(seen()).toEqual(["test.after"]);
  book.setLevel("error");
  child.warn("test.later");
  expect(seen()).toEqual(["test.after"]);
});
