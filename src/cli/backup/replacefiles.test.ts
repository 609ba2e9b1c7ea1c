import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "../../testkit/command.ts";
import { replaceFiles } from "./replacefiles.ts";

function folders(home: string) {
  const staging = join(home, ".restore");
  mkdirSync(staging);
  for (const name of ["lb.db", "lb.db-wal", "config.json"]) {
    writeFileSync(join(home, name), `old ${name}`);
  }
  writeFileSync(join(staging, "lb.db"), "new lb.db");
  return staging;
}

const file = (name: string) => ({ name, size_bytes: 1, sha256: "" });

test("what was there is set aside, and what the backup has takes its place", async () => {
  using home = temporaryHome();
  const staging = folders(home.path);
  const manifest = { files: [file("lb.db")] };
  const aside = await replaceFiles({ home: home.path, staging, manifest, force: true });
  expect(readFileSync(join(home.path, "lb.db"), "utf8")).toBe("new lb.db");
  expect(readdirSync(aside ?? "").sort()).toEqual(["lb.db", "lb.db-wal"]);
  expect(readFileSync(join(home.path, "config.json"), "utf8")).toBe("old config.json");
});

test("where a move fails, everything lies where it lay", async () => {
  using home = temporaryHome();
  const staging = folders(home.path);
  const before = readdirSync(home.path);
  // The second file is gone: that move cannot succeed.
  const manifest = { files: [file("lb.db"), file("config.json")] };
  const replaced = replaceFiles({ home: home.path, staging, manifest, force: true });
  await expect(replaced).rejects.toThrow(/Nothing was changed/);
  expect(readdirSync(home.path)).toEqual(before);
  for (const name of ["lb.db", "lb.db-wal", "config.json"]) {
    expect(readFileSync(join(home.path, name), "utf8")).toBe(`old ${name}`);
  }
  expect(readFileSync(join(staging, "lb.db"), "utf8")).toBe("new lb.db");
});
