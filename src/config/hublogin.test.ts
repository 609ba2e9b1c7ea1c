import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryHome } from "../testkit/command.ts";
import { hubLoginFile } from "./hublogin.ts";

test("the token of a login is found where the hub's tools keep it", () => {
  using home = temporaryHome();
  const at = (path: string) => {
    const file = join(home.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "hf_login");
    return file;
  };
  const HOME = home.path;
  expect(hubLoginFile({ HOME })).toBeUndefined();
  const own = at(".cache/huggingface/token");
  expect(hubLoginFile({ HOME })).toBe(own);
  const cache = at("xdg/huggingface/token");
  expect(hubLoginFile({ HOME, XDG_CACHE_HOME: join(HOME, "xdg") })).toBe(cache);
  const moved = at("hf/token");
  expect(hubLoginFile({ HOME, HF_HOME: dirname(moved) })).toBe(moved);
  const named = at("elsewhere");
  expect(hubLoginFile({ HOME, HF_HOME: dirname(moved), HF_TOKEN_PATH: named })).toBe(named);
  expect(hubLoginFile({ HOME, HF_TOKEN_PATH: join(HOME, "none") })).toBeUndefined();
});
