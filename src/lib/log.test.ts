import { expect, test } from "bun:test";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "../testkit/command.ts";
import { createLogger, fieldsLogger, flushLog } from "./log.ts";

test("lines of known fields are as the logger's own, whatever is in them", async () => {
  using home = temporaryHome();
  const path = join(home.path, "log");
  const descriptor = openSync(path, "a");
  const log = createLogger({ level: "silent", file: { descriptor: () => descriptor } });
  log.level = "info";
  const child = log.child({ part: 'of "it"' });
  const fields = { path: '/a"\\\u2028\ud800\n', count: 3, none: undefined, list: ["漢", null] };
  for (const one of [log, child]) {
    one.warn(fields, "test.line");
    fieldsLogger(one)("warn", fields, "test.line");
  }
  await flushLog(log);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const read = lines.map((line) => JSON.parse(line));
  expect(read).toHaveLength(4);
  for (const line of read) {
    expect(Math.abs(Date.now() - Date.parse(line.time))).toBeLessThan(60_000);
    line.time = "";
  }
  expect(read[1]).toEqual(read[0]);
  expect(read[3]).toEqual(read[2]);
  expect(read[2]).toMatchObject({ level: "warn", pid: process.pid, part: 'of "it"' });
});
