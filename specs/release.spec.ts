import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, linkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { list } from "tar";
import pkg from "../package.json" with { type: "json" };
import { build } from "../scripts/build.ts";
import { newReleaseKey, publicKeyOf } from "../scripts/feed/signing.ts";
import { hostTarget } from "../scripts/native/target.ts";
import { releaseFiles } from "../scripts/release/files.ts";
import { openFeed } from "../src/cli/update/feed.ts";
import { digestOf } from "../src/lib/filedigest.ts";
import { type RunResult, runResultOf, temporaryHome } from "../src/testkit/command.ts";

setDefaultTimeout(180_000);

const ROOT = join(import.meta.dir, "..");
const names = releaseFiles(pkg.version);
const host = hostTarget().name;
const folder = temporaryHome();
const out = join(folder.path, "release");
const keyFile = join(folder.path, "release.pem");
const { privateKey } = newReleaseKey();
const publicKey = publicKeyOf(privateKey);
const executable = join(out, names.executables[host]);

function run(
  command: string[],
  options: { env?: object; stdin?: string } = {},
): Promise<RunResult> {
  const child = Bun.spawn(command, {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...options.env },
    stdin: Buffer.from(options.stdin ?? ""),
    stdout: "pipe",
    stderr: "pipe",
  });
  return runResultOf(child);
}

/** What `npm run release -- …` does. */
function release(args: string[], stdin?: string): Promise<RunResult> {
  const script = join(ROOT, "scripts/release.ts");
  const env = { ...process.env };
  return run([process.execPath, script, ...args, "--out", out], { env, ...(stdin && { stdin }) });
}

const joinAgain = (key = keyFile) => release(["join", "--key", key]);

beforeAll(async () => {
  writeFileSync(keyFile, privateKey);
  const built = await release(["build", host, "--key", keyFile]);
  expect([built.code, built.code === 0 || built.stderr]).toEqual([0, true]);
  expect(built.stdout).toMatch(/^Bun +\d+\.\d$/m);
  expect(built.stdout).toMatch(/^libllmlb\.\w+ +\d+\.\d +\d+\.\d$/m);
  const joined = await joinAgain();
  expect([joined.code, joined.code === 0 || joined.stderr]).toEqual([0, true]);
}, 180_000);
afterAll(() => folder[Symbol.dispose]());

test("a release has its executable, with what goes along, each file with its sum", async () => {
  expect((await run([executable, "--version"])).stdout).toStartWith(`llmlb ${pkg.version} `);
  const sums = await Bun.file(join(out, names.sums)).text();
  const lines = sums
    .trimEnd()
    .split("\n")
    .map((line) => line.split("  "));
  for (const [sha256, name = ""] of lines) {
    expect([name, (await digestOf(join(out, name))).sha256]).toEqual([name, sha256 ?? ""]);
  }
  const summed = lines.map(([, name]) => name);
  const { changelog, sbom, sourceMaps, installer } = names;
  for (const name of [names.executables[host], changelog, sbom, sourceMaps, installer]) {
    expect(summed).toContain(name);
  }
  expect(await Bun.file(join(out, changelog)).text()).toContain(`## ${pkg.version} (`);
});

test("its SBOM names the executable by its sum", async () => {
  const { metadata, specVersion } = await Bun.file(join(out, names.sbom)).json();
  expect([specVersion, metadata.component.version]).toEqual(["1.6", pkg.version]);
  const { sha256 } = await digestOf(executable);
  expect(metadata.component.components).toMatchObject([
    { name: names.executables[host], hashes: [{ alg: "SHA-256", content: sha256 }] },
  ]);
});

test("its source map lies apart, and leads stack traces back to the source", async () => {
  const entries: string[] = [];
  await list({ file: join(out, names.sourceMaps), onReadEntry: ({ path }) => entries.push(path) });
  const map = `${names.executables[host]}.map`;
  expect(entries).toEqual([map]);
  const message = "it is no feed of llmlb";
  const place = placeOf(message, Buffer.from(await Bun.file(executable).arrayBuffer()));
  const traced = await release(
    ["trace", join(`${out}.maps`, map)],
    `at openFeed (/$bunfs/root/llmlb:${place})\n`,
  );
  const source = (await Bun.file(join(ROOT, "src/cli/update/feed.ts")).text()).split("\n");
  const line = source.findIndex((text) => text.includes(message)) + 1;
  expect(traced.stdout).toStartWith(`at openFeed (src/cli/update/feed.ts:${line}:`);
});

test("an older one goes on as the release of its feed, and only as its own variant", async () => {
  const older = join(folder.path, "bin", "llmlb");
  const variant = host === "linux-x64" ? "linux-x64-cuda" : host;
  await build(hostTarget(), older, { version: "0.0.1", releaseKeys: publicKey, variant });
  const env = { LLMLB_HOME: join(folder.path, "home") };
  const feed = join(out, names.feed);
  const update = () => run([older, "update", "--feed", feed], { env });
  if (variant !== host) {
    expect(await update()).toMatchObject({
      ...{ code: 1, stdout: `llmlb ${pkg.version} is there, but not for ${variant}.\n` },
    });
    linkSync(executable, join(out, names.executables[variant]));
    expect(await joinAgain()).toMatchObject({ code: 0 });
  }
  const { files } = openFeed(await Bun.file(feed).text(), [publicKey]);
  expect(files.map(({ platform }) => platform)).toEqual([...new Set([host, variant])]);
  expect(await update()).toMatchObject({ code: 0 });
  expect((await run([older, "--version"])).stdout).toStartWith(`llmlb ${pkg.version} `);
});

test("a key that its executables do not believe does not sign it", async () => {
  const other = join(folder.path, "other.pem");
  writeFileSync(other, newReleaseKey().privateKey);
  const { code, stderr } = await joinAgain(other);
  expect([code, stderr]).toEqual([1, expect.stringContaining("does not believe")]);
});

test("what is no part of it stops it", async () => {
  const stranger = join(out, "llmlb-0.0.0-linux-x64");
  writeFileSync(stranger, "");
  const { code, stderr } = await joinAgain();
  rmSync(stranger);
  expect([code, stderr]).toEqual([1, expect.stringContaining("remove llmlb-0.0.0-linux-x64")]);
});

test("a tag that names another version is refused", async () => {
  const tag = await release(["tag", "v99.0.0"]);
  expect([tag.code, tag.stderr]).toEqual([1, expect.stringContaining(`version ${pkg.version}`)]);
});

/** Line and column of a text in the scripts of an executable, where their text comes last. */
function placeOf(text: string, executable: Buffer): string {
  const at = executable.lastIndexOf(text);
  const before = executable.subarray(executable.lastIndexOf(0, at) + 1, at).toString("latin1");
  return `${before.split("\n").length}:${at - executable.lastIndexOf("\n", at)}`;
}

/** Whatever was built for it last, by `npm run build` or `npm run release`. */
const arm64 = ["dist/llmlb-linux-arm64", `dist/release/${names.executables["linux-arm64"]}`]
  .map((path) => join(ROOT, path))
  .find((path) => existsSync(path));
const canEmulate = Bun.which("qemu-aarch64-static") !== null && process.arch === "x64";

test.if(arm64 !== undefined && canEmulate)(
  "the executable for ARM64 answers a chat, in QEMU",
  async () => {
    const env = { ...process.env, LLMLB_SMOKE_PORT: "36768" };
    const script = join(ROOT, "scripts/smoke.ts");
    const { code, stdout } = await run([process.execPath, script, arm64 ?? ""], { env });
    expect(stdout).toContain("(pass) starts cold and answers a chat");
    expect([code, stdout]).toEqual([0, expect.stringContaining(" 0 fail")]);
  },
  300_000,
);
