import { afterAll, expect, test } from "bun:test";
import { createLogger } from "../lib/log.ts";
import { temporaryHome } from "../testkit/command.ts";
import { checkArguments } from "./argumentcheck.ts";

const home = temporaryHome();
afterAll(() => home[Symbol.dispose]());
const log = createLogger({ level: "silent" });
const check = (...args: string[]) => checkArguments(args, { home: home.path, log });

test("llama.cpp's own parser says which argument of a model is wrong", async () => {
  expect(await check("--no-such-thing", "1")).toContain("--no-such-thing");
  expect(await check("--ctx-size", "many")).toContain("--ctx-size");
  expect(await check("--port", "1")).toContain("--port is not possible here");
});

test("right arguments are let through, without a model", async () => {
  expect(await check("--temp", "0.2", "--cache-type-k", "q8_0", "-fa", "on")).toBeUndefined();
  expect(await check()).toBeUndefined();
});
