// The whole way of llmlb on a clean Debian with nothing but curl: got, started, joined, updated,
// rolled back, removed. `npm run walk`, as root; takes two minutes, and makes the Debian with
// debootstrap the first time. `npm run walk -- FOLDER` keeps the releases there for the next time.
import { ok as expect } from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { errorMessage } from "../src/lib/errormessage.ts";
import { eventually, until } from "../src/testkit/eventually.ts";
import { DebianSystem, type ShellOptions } from "./walk/debian.ts";
import { makeReleases, serveFolder } from "./walk/releases.ts";

const OLD = "0.1.0";
const NEW = "0.2.0";
const PORT = Number(process.env.LLMLB_WALK_PORT ?? 34_868);
const WAIT_MS_MAX = 60_000;
const URL_HERE = `http://127.0.0.1:${PORT}`;
/** As the installer says that it is to be put into PATH. */
const USER_ENV = { PATH: "/home/user/.local/bin:/usr/bin:/bin", NO_COLOR: "1" };
const SAID_CHARS_MAX = 3000;
const SECOND = "/home/user/second";

interface Walk {
  system: DebianSystem;
  /** Where the releases are, in a folder of their version each. */
  feed: string;
  before: string[];
  servers: StartedServer[];
}

interface StartedServer {
  process: Bun.Subprocess;
  /** The last of what it printed. */
  said: string;
}

interface Step {
  name: string;
  /** Returns a note for the report. Throws when the step fails. */
  run(walk: Walk): Promise<string>;
}

const STEPS: Step[] = [
  { name: "is installed by curl and sh", run: install },
  { name: "starts as its service would", run: start },
  { name: "answers a chat", run: chat },
  { name: "a second node joins from another home", run: join2 },
  { name: `is updated to ${NEW} without a cut`, run: update },
  { name: "goes back", run: goBack },
  { name: "is removed without a trace", run: uninstall },
  { name: "its package is installed, runs, and is purged without a trace", run: debian },
];

async function install({ system, feed }: Walk): Promise<string> {
  const env = { LLMLB_INSTALL_URL: `${feed}/${OLD}` };
  const { stdout } = await system.shell('curl -fsSL "$LLMLB_INSTALL_URL/install.sh" | sh', { env });
  expect(stdout.includes(`Installed llmlb ${OLD}: /home/user/.local/bin/llmlb`), stdout);
  expect(stdout.includes('export PATH="/home/user/.local/bin:$PATH"'), stdout);
  return versionOf(system);
}

async function start(walk: Walk): Promise<string> {
  const { system } = walk;
  const planned = await system.shell(
    `llmlb service install --user --dry-run -- --port ${PORT} --node-port ${PORT + 1}`,
    { env: USER_ENV },
  );
  const command = /^ExecStart=(.*)$/m.exec(planned.stdout)?.[1] ?? "";
  expect(command.startsWith("/home/user/.local/bin/llmlb serve "), planned.stdout);
  launch(walk, `exec ${command}`, { env: { PATH: "/usr/bin:/bin" } });
  await ready(URL_HERE);
  const status = await system.shell("llmlb status", { env: USER_ENV });
  expect(status.stdout.includes(`:${PORT}`), status.stdout);
  return command;
}

async function chat({ system }: Walk): Promise<string> {
  const body = { model: "llmlb-tiny", messages: [{ role: "user", content: "Goodbye" }] };
  const { stdout } = await system.shell(
    `curl -fsS ${URL_HERE}/v1/chat/completions -H 'content-type: application/json' \
-d '${JSON.stringify(body)}'`,
  );
  expect(stdout.includes('"content":"Goodbye!"'), stdout);
  return "Goodbye!";
}

async function join2(walk: Walk): Promise<string> {
  const { system } = walk;
  const { stdout: token } = await system.shell("llmlb endpoint token", { env: USER_ENV });
  const words = `--join ${URL_HERE} --token ${token.trim()} --name second --port ${PORT + 2}`;
  launch(walk, `exec llmlb node ${words}`, { env: { ...USER_ENV, LLMLB_HOME: SECOND } });
  const list = await eventually(async () => {
    const { stdout } = await system.shell("llmlb endpoint list", { env: USER_ENV });
    return /^second .*\bonline\b/m.test(stdout) ? stdout : undefined;
  }, WAIT_MS_MAX);
  await until(async () => (await servingNodes()) === 2, WAIT_MS_MAX);
  await chat(walk);
  return `${list.split("\n").filter((line) => line.includes("online")).length} endpoints online`;
}

/** How many endpoints have the built-in model. */
async function servingNodes(): Promise<number> {
  const answer = await fetch(`${URL_HERE}/v1/models`);
  const { data } = (await answer.json()) as { data: { id: string; endpoint_ids?: string[] }[] };
  return data.find(({ id }) => id === "llmlb-tiny")?.endpoint_ids?.length ?? 0;
}

async function update(walk: Walk): Promise<string> {
  const { system, feed } = walk;
  const failures: string[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      await chat(walk).catch((cause: unknown) => failures.push(errorMessage(cause)));
    }
  })();
  const flags = `--feed ${feed}/${NEW}/feed.json`;
  const { stdout, stderr } = await system.shell(`llmlb update ${flags}`, { env: USER_ENV });
  expect(stdout.includes(`llmlb ${NEW} has taken the place of ${OLD}`), stdout + stderr);
  // The node of the other home runs on as the old one, until it is told.
  const env = { ...USER_ENV, LLMLB_HOME: SECOND };
  await system.shell(`llmlb update ${flags}`, { env });
  isOver = true;
  await asking;
  expect(failures.length === 0, `requests failed meanwhile: ${failures[0]}`);
  expect((await versionOf(system)) === NEW, "llmlb version tells another one");
  return serving(walk, NEW);
}

async function goBack(walk: Walk): Promise<string> {
  const { system } = walk;
  await system.shell("llmlb update --rollback", { env: USER_ENV });
  await system.shell("llmlb restart", { env: { ...USER_ENV, LLMLB_HOME: SECOND } });
  expect((await versionOf(system)) === OLD, "llmlb version tells another one");
  await chat(walk);
  return serving(walk, OLD);
}

/** Waits until both servers run as a version. */
async function serving({ system }: Walk, version: string): Promise<string> {
  for (const home of ["/home/user/.llmlb", SECOND]) {
    const env = { ...USER_ENV, LLMLB_HOME: home };
    await until(async () => {
      const { stdout } = await system.shell("llmlb status --json", { env });
      return stdout.includes(`"${version}"`);
    }, WAIT_MS_MAX);
  }
  await until(async () => (await servingNodes()) === 2, WAIT_MS_MAX);
  return `both serve as ${version}`;
}

async function uninstall({ system, feed, before }: Walk): Promise<string> {
  const script = `curl -fsSL ${feed}/${OLD}/install.sh | sh -s -- --uninstall --purge`;
  const second = { env: { LLMLB_HOME: SECOND } };
  const refused = await system.shell(`(${script}) 2>&1 || true`);
  expect(refused.stdout.includes("of another data folder: end it first"), refused.stdout);
  await system.shell("llmlb stop", { env: { ...USER_ENV, LLMLB_HOME: SECOND } });
  await system.shell(script);
  await system.shell(script, second);
  return sameFiles(before, await system.files());
}

async function debian(walk: Walk): Promise<string> {
  const { system, feed, before } = walk;
  const name = `llmlb_${OLD}_${process.arch === "arm64" ? "arm64" : "amd64"}.deb`;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const root = { root: true, env };
  await system.shell(`curl -fsSO --output-dir /tmp ${feed}/${OLD}/${name}`, root);
  await system.shell(`dpkg -i /tmp/${name}`, root);
  const settings = JSON.stringify({ port: PORT + 3, node_port: PORT + 4 });
  await system.shell(`echo '${settings}' > /etc/llmlb/config.json`, root);
  const unit = await system.shell("cat /usr/lib/systemd/system/llmlb.service", root);
  const command = /^ExecStart=(.*)$/m.exec(unit.stdout)?.[1] ?? "";
  const user = "setpriv --reuid=llmlb --regid=llmlb --init-groups --reset-env";
  launch(walk, `cd /var/lib/llmlb; exec ${user} ${command}`, { root: true });
  await ready(`http://127.0.0.1:${PORT + 3}`);
  const home = "--home /var/lib/llmlb";
  const refused = await system.shell(
    `llmlb update --feed ${feed}/${NEW}/feed.json 2>&1 || true`,
    root,
  );
  expect(refused.stdout.includes("belongs to a package"), refused.stdout);
  const doctor = await system.shell(`llmlb status ${home}`, root);
  expect(doctor.stdout.includes(`:${PORT + 3}`), doctor.stdout);
  await system.shell(`llmlb stop ${home}`, root);
  await system.shell(`dpkg -P llmlb; rm /tmp/${name}`, root);
  return sameFiles(before, await system.files());
}

/** Starts a server, which is ended with the walk; what it says is told where a step fails. */
function launch({ system, servers }: Walk, script: string, options: ShellOptions): void {
  const process = system.start(script, options);
  const server = { process, said: "" };
  servers.push(server);
  for (const stream of [process.stdout, process.stderr]) {
    void readText(stream, (text) => {
      server.said = (server.said + text).slice(-SAID_CHARS_MAX);
    });
  }
}

async function readText(stream: ReadableStream, onText: (text: string) => void): Promise<void> {
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) onText(chunk);
}

async function ready(url: string): Promise<void> {
  await until(async () => {
    const answer = await fetch(`${url}/ready`).catch(() => undefined);
    return answer?.ok === true;
  }, WAIT_MS_MAX);
}

async function versionOf(system: DebianSystem): Promise<string> {
  const { stdout } = await system.shell("llmlb version", { env: USER_ENV });
  return /^llmlb (\S+)/.exec(stdout)?.[1] ?? stdout;
}

/** What package managers and accounts keep of what they once did. */
const KEPT =
  /^\/(run\/adduser$|var\/(lib\/dpkg|cache|log)\/|etc\/(passwd|group|g?shadow|sub[ug]id)-?$)/;

function sameFiles(before: string[], after: string[]): string {
  const [known, there] = [new Set(before), new Set(after)];
  const left = after.filter((path) => !known.has(path) && !KEPT.test(path));
  expect(left.length === 0, `left: ${left.join(", ")}`);
  const lost = before.filter((path) => !there.has(path));
  expect(lost.length === 0, `lost: ${lost.join(", ")}`);
  return `${after.length} files as before`;
}

async function main(kept: string | undefined): Promise<number> {
  const problem = DebianSystem.problem();
  if (problem !== undefined) {
    process.stdout.write(`walk: left out: ${problem}\n`);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), "llmlb-walk-"));
  const servers: StartedServer[] = [];
  let failed = 0;
  let done = 0;
  try {
    const releases = resolve(kept ?? join(folder, "releases"));
    await makeReleases(releases, [OLD, NEW]);
    using server = serveFolder(releases);
    await using system = await DebianSystem.make(join(folder, "debian"));
    const feed = server.url.origin;
    const walk = { system, feed, before: await system.files(), servers };
    for (const { name, run } of STEPS) {
      try {
        process.stdout.write(`(pass) ${name}: ${await run(walk)}\n`);
        done += 1;
      } catch (cause) {
        process.stdout.write(`(fail) ${name}: ${errorMessage(cause)}\n`);
        for (const { said } of servers) process.stdout.write(`${said}\n`);
        failed += 1;
        break; // Each step stands on those before it.
      }
    }
    for (const server of servers) server.process.kill();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.stdout.write(` ${done} pass\n ${failed} fail\n`);
  return failed === 0 ? 0 : 1;
}

process.exit(await main(process.argv[2]));
