import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { newReleaseKey, signFeed } from "../../../scripts/feed/signing.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { FileServer } from "../../testkit/servers/files.ts";
import { checkForUpdate, rollBack, type UpdateOptions, update } from "./update.ts";

// What stands in for executables are scripts of a shell.
const isWindows = process.platform === "win32";
const key = newReleaseKey();
const CHILD = join(import.meta.dir, "../../testkit/updatechild.ts");

let folder: ReturnType<typeof temporaryHome>;
let server: FileServer;
let path = "";
beforeEach(async () => {
  folder = temporaryHome();
  server = await FileServer.start();
  path = join(folder.path, "bin", "llmlb");
  mkdirSync(join(folder.path, "bin"));
  writeFileSync(path, programOf("0.1.0"));
  chmodSync(path, 0o755);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A program that tells its version; some bytes make it worth fetching in parts. */
function programOf(version: string, more = ""): string {
  return `#!/bin/sh\n${more}\necho "llmlb ${version} (a test)"\nexit 0\n#${"x".repeat(300_000)}\n`;
}

interface Offer {
  version?: string;
  program?: string;
  sha256?: string;
  key?: string;
}

/** Puts a release onto the server. */
function offer({ version = "0.2.0", program = programOf(version), ...rest }: Offer = {}): void {
  const bytes = Buffer.from(program);
  const sha256 = rest.sha256 ?? createHash("sha256").update(bytes).digest("hex");
  const file = { platform: "test-x64", url: "llmlb-new", size_bytes: bytes.length, sha256 };
  const release = { format: 1, version, released_at: "2026-01-31", files: [file] } as const;
  server.files.set("/llmlb-new", bytes);
  const text = signFeed({ ...release, files: [file] }, [rest.key ?? key.privateKey]);
  server.files.set("/feed.json", Buffer.from(text));
}

function options(change: Partial<UpdateOptions> = {}): UpdateOptions {
  return {
    program: { path, version: "0.1.0", platform: "test-x64", keys: [key.publicKey] },
    ...{ home: folder.path, feed: `${server.url}/feed.json`, signal: new AbortController().signal },
    ...change,
  };
}

function versionAt(file: string): string {
  const { stdout } = Bun.spawnSync([file, "--version"]);
  return /llmlb (\S+)/.exec(stdout.toString())?.[1] ?? "";
}

function filesThere(): string[] {
  return readdirSync(join(folder.path, "bin")).sort();
}

describe.skipIf(isWindows)("an update", () => {
  test("puts the new program in place, keeps the old one, and goes back", async () => {
    offer();
    expect(await checkForUpdate(options(), false)).toBe(0);
    expect(versionAt(path)).toBe("0.1.0");
    expect(await update(options())).toBe(0);
    expect([versionAt(path), versionAt(`${path}.previous`)]).toEqual(["0.2.0", "0.1.0"]);
    expect(filesThere()).toEqual(["llmlb", "llmlb.previous"]);
    await rollBack(options({ program: { ...options().program, version: "0.2.0" } }));
    expect([versionAt(path), versionAt(`${path}.previous`)]).toEqual(["0.1.0", "0.2.0"]);
    expect(filesThere()).toEqual(["llmlb", "llmlb.previous"]);
  });

  test("goes on where a connection broke", async () => {
    offer();
    let isFirst = true;
    server.treat = ({ path: asked }) => {
      if (asked !== "/llmlb-new" || !isFirst) return {};
      isFirst = false;
      return { cutAt: 200_000 };
    };
    await update(options());
    const ranges = server.seen.filter((one) => one.path === "/llmlb-new");
    expect(ranges.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-/);
    expect(versionAt(path)).toBe("0.2.0");
  });

  test("comes from a folder where there is no network", async () => {
    offer();
    for (const [name, bytes] of server.files) writeFileSync(join(folder.path, name), bytes);
    await update(options({ feed: join(folder.path, "feed.json") }));
    expect(versionAt(path)).toBe("0.2.0");
  });

  const refused: [string, Offer, string][] = [
    ["whose signature is another's", { key: newReleaseKey().privateKey }, "do not trust it"],
    ["with another sum", { sha256: "0".repeat(64) }, "Fetching "],
    ["that does not start", { program: "#!/bin/sh\necho broken; exit 7\n" }, "status 7: broken"],
    ["that is no program", { program: "GIF89a" }, "does not run here"],
    ["that says it is another", { program: programOf("0.0.9") }, "says that it is 0.0.9"],
    [
      "that cannot read the settings",
      { program: programOf("0.2.0", 'if [ "$1" = config ]; then echo no >&2; exit 2; fi') },
      "config ends with status 2: no",
    ],
  ];
  test.each(refused)(
    "to a release %s is refused, and nothing changes",
    async (_, made, message) => {
      offer(made);
      await expect(update(options())).rejects.toThrow(message);
      expect(versionAt(path)).toBe("0.1.0");
      expect(existsSync(`${path}.previous`)).toBe(false);
    },
  );

  test("never leads back, and does nothing where there is nothing to do", async () => {
    for (const version of ["0.0.9", "0.1.0"]) {
      offer({ version });
      expect(await update(options())).toBe(0);
    }
    offer();
    const elsewhere = { ...options().program, platform: "test-arm64" };
    expect(await update(options({ program: elsewhere }))).toBe(1);
    expect(filesThere()).toEqual(["llmlb"]);
  });

  test("says what is lacking: a feed, a key, one before, rights", async () => {
    await expect(update(options({ feed: null }))).rejects.toThrow("name one with --feed");
    const keyless = { ...options().program, keys: [] };
    await expect(update(options({ program: keyless }))).rejects.toThrow("without a release key");
    await expect(rollBack(options())).rejects.toThrow("nothing to go back to");
    await expect(update(options())).rejects.toThrow("HTTP 404");
    offer();
    // Nobody may write there, root neither.
    if (process.platform !== "linux") return;
    const locked = { ...options().program, path: "/proc/llmlb" };
    await expect(update(options({ program: locked }))).rejects.toThrow("Replacing /proc/llmlb");
  });
});

describe.skipIf(isWindows)("an update that is killed", () => {
  /** Runs it in a process of its own; resolves with how that ended. */
  async function run(killAt: string, version = "0.1.0") {
    const feed = `${server.url}/feed.json`;
    const place = { path, version, home: folder.path };
    const input = { ...place, key: key.publicKey, feed, killAt };
    const child = Bun.spawn([process.execPath, CHILD, JSON.stringify(input)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const error = await new Response(child.stderr).text();
    await child.exited;
    return { signal: child.signalCode as string | null, code: child.exitCode, error };
  }

  test.each([
    ["fetch", "0.1.0"],
    ["try", "0.1.0"],
    ["keep", "0.1.0"],
    ["put", "0.1.0"],
    ["hand over", "0.2.0"],
    ["done", "0.2.0"],
  ])("before it would %s leaves %s whole, and the next one finishes", async (step, version) => {
    offer();
    expect((await run(step)).signal).toBe("SIGKILL");
    expect(readFileSync(path, "utf8")).toBe(programOf(version));
    expect(versionAt(path)).toBe(version);
    expect(await run("never", version)).toMatchObject({ code: 0, signal: null });
    expect([versionAt(path), versionAt(`${path}.previous`)]).toEqual(["0.2.0", "0.1.0"]);
    expect(filesThere()).toEqual(["llmlb", "llmlb.previous"]);
  });
});
