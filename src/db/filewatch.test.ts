import { expect, test } from "bun:test";
import { openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLogger } from "../lib/log.ts";
import { temporaryHome } from "../testkit/command.ts";
import { eventually } from "../testkit/eventually.ts";
import { watchFiles } from "./filewatch.ts";

test("a database that is deleted under a running process is told once", async () => {
  using home = temporaryHome();
  const [kept, gone] = [join(home.path, "kept.db"), join(home.path, "gone.db")];
  for (const path of [kept, gone]) writeFileSync(path, "");
  const logPath = join(home.path, "log");
  const descriptor = openSync(logPath, "a");
  const log = createLogger({ level: "silent", file: { descriptor: () => descriptor } });
  log.level = "info";
  const watch = watchFiles([kept, gone], log, 5);
  await Bun.sleep(30);
  expect(readFileSync(logPath, "utf8")).toBe("");
  rmSync(gone);
  const text = await eventually(() => readFileSync(logPath, "utf8") || undefined);
  expect(JSON.parse(text)).toMatchObject({
    ...{ level: "error", msg: "storage.file_replaced", path: gone },
    advice: expect.stringContaining("Restart"),
  });
  await Bun.sleep(30);
  expect(readFileSync(logPath, "utf8")).toBe(text);
  watch.stop();
});
