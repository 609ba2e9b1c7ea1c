import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { build } from "../scripts/build.ts";
import { newReleaseKey, publicKeyOf } from "../scripts/feed/signing.ts";
import { hostTarget } from "../scripts/native/target.ts";
import { platformName } from "../src/config/release.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { isAlive, killIfThere, processesOf } from "../src/testkit/processes.ts";
import { FileServer } from "../src/testkit/servers/files.ts";

setDefaultTimeout(180_000);

const PLATFORM = platformName(process.platform, process.arch);
const testUnix = test.if(process.platform !== "win32");
const folder = temporaryHome();
const { privateKey } = newReleaseKey();
const keyFile = join(folder.path, "release.pem");
const releases = join(folder.path, "releases");
let server: FileServer;

/** Two executables of real releases: what runs, and what it is to become. */
beforeAll(async () => {
  if (process.platform === "win32") return;
  mkdirSync(releases);
  writeFileSync(keyFile, privateKey);
  server = await FileServer.start();
  const releaseKeys = publicKeyOf(privateKey);
  for (const version of ["0.1.0", "0.2.0"]) {
    await build(hostTarget(), join(releases, version), { releaseKeys, version });
  }
}, 300_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const homes: string[] = [];
afterEach(async () => {
  for (const home of homes.splice(0)) {
    for (const pid of processesOf(home)) killIfThere(pid);
    await eventually(() => processesOf(home).length === 0 || undefined, 20_000);
    rmSync(home, { recursive: true });
  }
});

/** The executable 0.1.0 in a folder of its own, and a server that runs from it. */
async function startInstalled() {
  const home = join(folder.path, `h${homes.length}${Date.now() % 10_000}`);
  homes.push(home);
  const path = join(home, "bin", "llmlb");
  mkdirSync(join(home, "bin"), { recursive: true });
  copyFileSync(join(releases, "0.1.0"), path);
  const env = { PATH: process.env.PATH ?? "", HOME: home, LLMLB_HOME: home };
  const run = async (...args: string[]) => {
    const child = Bun.spawn([path, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
    const [stdout = "", stderr = ""] = await Promise.all(texts);
    return { code: await child.exited, stdout, stderr };
  };
  const child = Bun.spawn([path, "balancer", "--port", "0"], {
    env,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const entry = () => {
    const name = readdirSync(join(home, "run")).find((one) => /^serve-\d+\.json$/.test(one));
    const text = readFileSync(join(home, "run", name ?? ""), "utf8");
    return JSON.parse(text) as { pid: number; url: string; version: string };
  };
  await eventually(() => {
    try {
      return entry();
    } catch {
      return undefined; // It has not written it yet.
    }
  }, 20_000);
  return { path, home, run, entry, pid: child.pid };
}

/** Signs a feed with the tool of the repository, and puts it and its file onto the server. */
async function offer(version: string, file: string): Promise<string> {
  const out = join(releases, "feed.json");
  const script = join(import.meta.dir, "../scripts/feed.ts");
  const args = ["sign", "--key", keyFile, "--version", version, "--out", out];
  const signed = Bun.spawnSync([process.execPath, script, ...args, `${PLATFORM}=${file}`]);
  expect([signed.exitCode, signed.stderr.toString()]).toEqual([0, ""]);
  server.files.set("/feed.json", readFileSync(out));
  server.files.set(`/${file.slice(releases.length + 1)}`, readFileSync(file));
  return `${server.url}/feed.json`;
}

testUnix("a server goes on as the release of a feed, without a cut, and back", async () => {
  const { home, run, entry, pid } = await startInstalled();
  const { url, version } = entry();
  expect(version).toBe("0.1.0");
  const feed = await offer("0.2.0", join(releases, "0.2.0"));
  writeFileSync(join(home, "config.json"), JSON.stringify({ update_feed: feed }));

  const checked = await run("update", "--check", "--json");
  expect(JSON.parse(checked.stdout)).toMatchObject({
    ...{ current: "0.1.0", latest: "0.2.0", update: true },
  });
  let isOver = false;
  const failures: string[] = [];
  const asking = (async () => {
    while (!isOver) {
      const headers = { connection: "close" };
      const answer = await fetch(`${url}/health`, { headers }).catch((cause) => String(cause));
      if (typeof answer === "string" || !answer.ok) failures.push(String(answer));
      await Bun.sleep(10);
    }
  })();
  const updated = await run("update");
  expect(updated).toMatchObject({ code: 0 });
  expect(entry()).toMatchObject({ url, version: "0.2.0" });
  expect((await run("--version")).stdout).toContain("llmlb 0.2.0");
  await eventually(() => !isAlive(pid) || undefined, 20_000);
  isOver = true;
  await asking;
  expect(failures).toEqual([]);

  expect((await run("update")).stdout).toContain("llmlb 0.2.0 is the newest");
  expect(await run("update", "--rollback")).toMatchObject({ code: 0 });
  expect(entry()).toMatchObject({ url, version: "0.1.0" });
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await run("stop")).code).toBe(0);
});

/** It tells its version and reads settings, as a real one; but it does not serve. */
const BROKEN = `#!/bin/sh
case "$1" in
--version) echo "llmlb 0.3.0 (broken)" ;;
config) echo "{}" ;;
*) exit 7 ;;
esac
`;

testUnix("one that does not come up is taken back, and the server serves as before", async () => {
  const { path, home, run, entry, pid } = await startInstalled();
  const broken = join(releases, "0.3.0");
  writeFileSync(broken, BROKEN);
  chmodSync(broken, 0o755);
  const feed = await offer("0.3.0", broken);
  const { code, stderr } = await run("update", "--feed", feed);
  expect([code, stderr]).toEqual([1, expect.stringContaining("llmlb 0.1.0 was put back")]);
  expect(stderr).toContain("did not come up: it ended with status 7");
  expect(entry()).toMatchObject({ pid, version: "0.1.0" });
  expect((await fetch(`${entry().url}/health`)).status).toBe(200);
  expect((await run("--version")).stdout).toContain("llmlb 0.1.0");
  expect(readdirSync(join(path, ".."))).toEqual(["llmlb"]);

  // An update that lost its power after the program was in place: the next one finishes it.
  copyFileSync(path, `${path}.previous`);
  rmSync(path);
  copyFileSync(join(releases, "0.2.0"), path);
  const good = await offer("0.2.0", join(releases, "0.2.0"));
  expect((await run("update", "--feed", good)).code).toBe(0);
  expect(entry()).toMatchObject({ version: "0.2.0" });
  expect((await run("stop", "--home", home)).code).toBe(0);
});

test("a llmlb that runs from its source is not replaced", async () => {
  const { code, stderr } = await runProgram(["update"], { home: folder.path });
  expect([code, stderr]).toEqual([1, expect.stringContaining("runs from its source")]);
});
