import { expect, test } from "bun:test";
import { diskError } from "./errorreport.ts";

const failed = (code: string, path?: string) => Object.assign(new Error("x"), { code, path });

const cases: [unknown, string | undefined][] = [
  [failed("EROFS", "/a/native"), "Writing /a/native failed: the file system is read-only."],
  [failed("ENOSPC", "/a/b"), "Writing /a/b failed: the disk is full."],
  [failed("EDQUOT", "/a/b"), "Writing /a/b failed: the disk quota is used up."],
  [failed("ENOSPC"), undefined],
  [failed("ENOENT", "/a/b"), undefined],
  [undefined, undefined],
];
test.each(cases)("%p is told as %p", (cause, text) => {
  expect(diskError(cause)).toBe(text as string);
});
