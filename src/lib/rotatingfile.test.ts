import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "../testkit/command.ts";
import { RotatingFile } from "./rotatingfile.ts";

let folder = temporaryHome();
beforeEach(() => {
  folder = temporaryHome();
});
afterEach(() => folder[Symbol.dispose]());

const path = () => join(folder.path, "logs", "a.log");
const older = () => join(folder.path, "logs", "a.1.log");

function fileOf(clock = { ms: 0 }) {
  const file = new RotatingFile({ path: path(), bytesMax: 100, nowMs: () => clock.ms });
  const write = (text: string) => {
    const descriptor = file.descriptor();
    if (descriptor !== undefined) file.wrote(writeSync(descriptor, text));
    return descriptor !== undefined;
  };
  return { file, write, clock };
}

test("it never takes more than twice its size, while it is written", () => {
  const { write } = fileOf();
  for (let i = 0; i < 50; i += 1) write("0123456789\n");
  expect(readFileSync(older(), "utf8").length).toBe(110);
  expect(readFileSync(path(), "utf8").length).toBeLessThan(100);
});

test("a file that is too large already is renamed first", () => {
  fileOf().write("a\n");
  writeFileSync(path(), "x".repeat(200));
  fileOf().write("b\n");
  expect(readFileSync(path(), "utf8")).toBe("b\n");
});

test("it is opened again when asked, and when it was moved or removed", () => {
  const { file, write, clock } = fileOf();
  write("1\n");
  renameSync(path(), `${path()}.old`);
  write("2\n");
  file.reopen();
  write("3\n");
  expect(readFileSync(`${path()}.old`, "utf8")).toBe("1\n2\n");
  expect(readFileSync(path(), "utf8")).toBe("3\n");
  rmSync(join(folder.path, "logs"), { recursive: true });
  clock.ms += 5000;
  write("4\n");
  expect(readFileSync(path(), "utf8")).toBe("4\n");
});

test("what cannot be opened again drops lines, and is tried again", () => {
  const { file, write, clock } = fileOf();
  rmSync(join(folder.path, "logs"), { recursive: true });
  writeFileSync(join(folder.path, "logs"), "a file");
  file.reopen();
  expect(write("lost\n")).toBe(false);
  rmSync(join(folder.path, "logs"));
  expect(write("lost, too\n")).toBe(false);
  clock.ms += 5000;
  expect(write("there\n")).toBe(true);
  expect(readFileSync(path(), "utf8")).toBe("there\n");
  expect(existsSync(older())).toBe(false);
});
