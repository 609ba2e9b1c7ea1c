import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { create, extract, list } from "tar";
import { TINY } from "../src/testkit/clients.ts";
import { runProgram } from "../src/testkit/command.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(60_000);

const { start, newHome } = stage();
const run = (home: string, ...args: string[]) => runProgram(args, { home });

/** The names in a backup. */
async function namesIn(file: string): Promise<string[]> {
  const names: string[] = [];
  await list({ file, onReadEntry: ({ path }) => names.push(path) });
  return names;
}

/** A backup of a folder from which something has run, and that folder. */
async function madeBackup() {
  const home = newHome();
  const program = await start({ home, mode: "balancer", untilReady: false });
  await program.stop();
  const file = join(newHome(), "a.backup");
  expect((await run(home, "backup", file)).code).toBe(0);
  return { home, file };
}

/** The same backup with something changed in it. */
async function changed(file: string, change: (folder: string) => void): Promise<string> {
  const folder = newHome();
  await extract({ file, cwd: folder });
  change(folder);
  const other = join(newHome(), "changed.backup");
  await create({ file: other, cwd: folder, gzip: true }, readdirSync(folder));
  return other;
}

describe("llmlb backup", () => {
  test("is whole while requests run, and another home goes on with it", async () => {
    const home = newHome();
    writeFileSync(join(home, "config.json"), `{ "aliases": ["office=${TINY}"] } // ours`);
    const program = await start({ home, args: ["--access", "required"] });
    const made = await run(home, "key", "add", "ci", "--json");
    const { key } = JSON.parse(made.stdout) as { key: string };
    const ask = async (url: string) => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({
          ...{ model: "office", messages: [{ role: "user", content: "Goodbye" }] },
        }),
      });
      await response.text();
      return response.status;
    };
    let goesOn = true;
    const load = (async () => {
      let asked = 0;
      while (goesOn) {
        expect(await ask(program.url)).toBe(200);
        asked += 1;
      }
      return asked;
    })();
    const file = join(newHome(), "now.backup");
    const backup = await run(home, "backup", file);
    goesOn = false;
    expect(await load).toBeGreaterThan(0);
    expect([backup.code, backup.stdout]).toEqual([0, expect.stringContaining("lb.db, history.db")]);
    expect(backup.stderr).toContain("Not in it: models, logs.");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const names = await namesIn(file);
    expect(names.toSorted()).toEqual(
      [
        ...["audit.db", "audit.head", "config.json", "history.db", "lb.db", "manifest.json"],
        "secret.key",
      ].toSorted(),
    );
    // What comes later is not in it.
    await run(home, "key", "add", "later");
    await program.stop();

    const other = newHome();
    const restored = await run(other, "restore", file);
    expect([restored.code, restored.stderr]).toEqual([
      0,
      expect.stringContaining("The audit log is whole"),
    ]);
    for (const name of ["lb.db", "history.db", "audit.db", "secret.key", "config.json"]) {
      expect([name, statSync(join(other, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    const next = await start({ home: other, args: ["--access", "required"] });
    expect(await ask(next.url)).toBe(200);
    const keys = JSON.parse((await run(other, "key", "list", "--json")).stdout) as {
      keys: { name: string }[];
    };
    const known = JSON.stringify(keys);
    expect([known.includes('"ci"'), known.includes('"later"')]).toEqual([true, false]);
    expect((await run(other, "audit", "verify")).code).toBe(0);
    expect((await run(other, "doctor")).stdout).not.toContain("FAIL");
  });

  test("does not replace a file unless it is told to, and leaves nothing half done", async () => {
    const { home, file } = await madeBackup();
    const before = readFileSync(file);
    const refused = await run(home, "backup", file);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--force")]);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect((await run(home, "backup", "--force", "--no-history", file)).code).toBe(0);
    expect(await namesIn(file)).not.toContain("history.db");
    expect(readdirSync(join(file, ".."))).toEqual(["a.backup"]);
    const nowhere = await run(home, "backup", "/nonexistent/x");
    expect([nowhere.code, nowhere.stderr]).toEqual([
      1,
      expect.stringContaining("Writing /nonexistent/x failed: there is no folder /nonexistent."),
    ]);
    for (const place of [home, "/dev/null"]) {
      const wrong = await run(home, "backup", "--force", place);
      expect([wrong.code, wrong.stderr]).toEqual([
        1,
        expect.stringContaining(`Writing ${place} failed: it is `),
      ]);
    }
    const nothing = await run(newHome(), "backup", join(newHome(), "x"));
    expect(nothing.stderr).toContain("There is nothing to back up");
  });
});

describe("llmlb restore", () => {
  test("refuses while something runs, and where something is, unless forced", async () => {
    const { file } = await madeBackup();
    const home = newHome();
    const program = await start({ home, mode: "balancer", untilReady: false });
    const running = await run(home, "restore", "--force", file);
    expect([running.code, running.stderr]).toEqual([
      1,
      expect.stringContaining(`llmlb (balancer, process ${program.pid}) runs from ${home}`),
    ]);
    await program.stop();
    const before = readFileSync(join(home, "secret.key"), "utf8");
    const full = await run(home, "restore", file);
    expect([full.code, full.stderr]).toEqual([
      1,
      expect.stringContaining("--force sets them aside"),
    ]);
    expect(readFileSync(join(home, "secret.key"), "utf8")).toBe(before);
    const forced = await run(home, "restore", "--force", file);
    expect(forced.code).toBe(0);
    const [, aside = ""] = /before lies in (\S+)\.\n/.exec(forced.stderr) ?? [];
    expect(readFileSync(join(aside, "secret.key"), "utf8")).toBe(before);
    expect(readFileSync(join(home, "secret.key"), "utf8")).not.toBe(before);
    await (await start({ home, mode: "balancer", untilReady: false })).stop();
  });

  const damages: [string, string, (folder: string) => void][] = [
    ["of a newer llmlb", "is newer (schema 900) than this llmlb", newer],
    ["with another content", "lb.db is not what it was: its hash differs", flip("lb.db")],
    ["with another key", "secret.key is not what it was", flip("secret.key")],
    ["without a file", "history.db is missing in it", (folder) => remove(folder, "history.db")],
    ["without its list", "it is no backup of llmlb", (folder) => remove(folder, "manifest.json")],
  ];
  test.each(damages)("refuses a backup %s, and changes nothing", async (_, message, damage) => {
    const { file } = await madeBackup();
    const home = newHome();
    const { code, stdout, stderr } = await run(home, "restore", await changed(file, damage));
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([1, ""]);
    const there = readdirSync(home).filter((name) => /db|key|restore|json/.test(name));
    expect(there).toEqual([]);
  });

  test("refuses what is no backup, and takes no file out of its folder", async () => {
    const { file } = await madeBackup();
    const home = newHome();
    const cut = join(home, "cut");
    writeFileSync(cut, readFileSync(file).subarray(0, 3000));
    for (const wrong of [cut, "/etc/hostname", join(home, "absent")]) {
      const { code, stderr } = await run(home, "restore", wrong);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`Restoring ${wrong} failed`)]);
    }
    const folder = newHome();
    mkdirSync(join(folder, "in"));
    writeFileSync(join(folder, "evil"), "x");
    const evil = join(folder, "evil.backup");
    await create({ file: evil, cwd: join(folder, "in"), gzip: true, preservePaths: true }, [
      "../evil",
    ]);
    expect((await run(home, "restore", evil)).code).toBe(1);
    expect(existsSync(join(home, "evil"))).toBe(false);
  });
});

function newer(folder: string): void {
  const path = join(folder, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { files: { name: string }[] };
  const files = manifest.files.map((one) => (one.name === "lb.db" ? { ...one, schema: 900 } : one));
  writeFileSync(path, JSON.stringify({ ...manifest, files }));
}

function flip(name: string): (folder: string) => void {
  return (folder) => {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const at = bytes.length - 5;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
}

function remove(folder: string, name: string): void {
  rmSync(join(folder, name));
}
