import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { commandLine, runProgram, startProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(60_000);

const { start, newHome } = stage();
const pids: number[] = [];
afterEach(() => {
  for (const pid of pids.splice(0)) process.kill(pid, "SIGKILL");
});

type Line = Record<string, unknown>;

function linesOf(path: string): Line[] {
  if (!existsSync(path)) return [];
  const texts = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return texts.map((text) => JSON.parse(text) as Line);
}

const question = { model: TINY, messages: says("Goodbye"), temperature: 0 };

test("a request is one line, the node included; the file is opened again at SIGHUP", async () => {
  const home = newHome();
  const path = join(home, "logs", "llmlb.log");
  const program = await start({ home });
  const requests = () => linesOf(path).filter(({ msg }) => msg === "http.request");
  await (await post(`${program.url}/v1/chat/completions`, question)).json();
  await eventually(() => requests().length > 0 || undefined);
  expect(requests()).toMatchObject([
    { level: "info", method: "POST", path: "/v1/chat/completions", status: 200, model: TINY },
  ]);
  renameSync(path, `${path}.old`);
  process.kill(program.pid, "SIGHUP");
  await eventually(() => existsSync(path) || undefined);
  await (await post(`${program.url}/v1/chat/completions`, question)).json();
  await eventually(() => requests().length > 0 || undefined);
  expect(requests()).toHaveLength(1);
  await program.stop();
});

test("a first start, and the end after it, are without warnings and errors", async () => {
  const home = newHome();
  const program = await start({ home });
  expect((await post(`${program.url}/v1/chat/completions`, question)).status).toBe(200);
  await program.stop();
  const lines = linesOf(join(home, "logs", "llmlb.log"));
  expect(lines.length).toBeGreaterThan(3);
  // The balancer asks its node what it is before a model is loaded.
  expect(lines.filter(({ level }) => level !== "info")).toEqual([]);
});

test("an error that was expected is a short line", async () => {
  const home = newHome();
  const path = join(home, "elsewhere.log");
  const args = ["--log-file", path, "--access-log", "off", "--endpoint", "http://127.0.0.1:9"];
  const program = await start({ mode: "balancer", home, args, untilReady: false });
  const response = await post(`${program.url}/v1/chat/completions`, { ...question, model: "none" });
  expect(response.status).toBe(503);
  const [line] = await eventually(() => {
    const found = linesOf(path).filter(({ msg }) => msg === "http.error");
    return found.length > 0 ? found : undefined;
  });
  expect(line).toMatchObject({ level: "warn", status: 503, path: "/v1/chat/completions" });
  expect(JSON.stringify(line)).not.toContain("stack");
  expect(JSON.stringify(line).length).toBeLessThan(500);
  expect(linesOf(path).some(({ msg }) => msg === "http.request")).toBe(false);
  expect(existsSync(join(home, "logs", "llmlb.log"))).toBe(false);
  await program.stop();
});

test.each(["> >(sleep 60)", "> /dev/full", ">&-"])(
  "a stderr that takes nothing (2%s) and a log without a file hold up nothing",
  async (redirection) => {
    if (process.platform === "win32") return;
    const home = newHome();
    const args = ["balancer", "--port", "0", "--log-level", "trace", "--log-file", "none"];
    const script = `"$@" 2${redirection}`;
    const child = Bun.spawn(
      ["bash", "-c", `${script} & echo $!; wait $!`, "-", ...commandLine(args)],
      {
        env: { PATH: process.env.PATH ?? "", HOME: home, LLMLB_HOME: home },
        stdout: "pipe",
      },
    );
    const { value } = await child.stdout.getReader().read();
    const pid = Number(new TextDecoder().decode(value));
    pids.push(pid);
    const url = await eventually(() => urlOf(home), 20_000);
    // Far more lines than a pipe holds.
    for (let round = 0; round < 30; round += 1) {
      const all = Array.from({ length: 50 }, () => fetch(`${url}/${"x".repeat(180)}`));
      for (const response of await Promise.all(all)) expect(response.status).toBe(404);
    }
    process.kill(pid, "SIGTERM");
    expect(await child.exited).toBe(0);
    pids.length = 0;
    expect(existsSync(join(home, "logs"))).toBe(false);
  },
);

/** Where the llmlb of this data folder listens, as its pid file says. */
function urlOf(home: string): string | undefined {
  const folder = join(home, "run");
  if (!existsSync(folder)) return undefined;
  const [name] = [...new Bun.Glob("serve-*.json").scanSync(folder)];
  if (name === undefined) return undefined;
  return (JSON.parse(readFileSync(join(folder, name), "utf8")) as { url: string }).url;
}

interface Answer {
  source: string;
  entries: { timestamp: string; level: string; message: string; fields: Line }[];
  path: string | null;
}

async function logOf(url: string, query = "", headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/api/logs${query}`, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

function setLevel(url: string, level: string, headers: Record<string, string> = {}) {
  return post(`${url}/api/log/level`, { level }, { headers });
}

test("the log is read by API: of node and engines, too, chosen, and as it comes", async () => {
  const home = newHome();
  const program = await start({ home });
  const { source, path, entries } = await logOf(program.url, `?model=${TINY}&search=engine.`);
  expect({ source, path }).toEqual({
    source: "load balancer",
    path: join(home, "logs", "llmlb.log"),
  });
  expect(entries.map(({ message }) => message)).toEqual(["engine.loading", "engine.ready"]);
  const following = await fetch(`${program.url}/api/logs?follow=true&tail=1&search=http.request`);
  const reader = (following.body as ReadableStream<Uint8Array>).getReader();
  const secret = "sk_do-not-log-this-key";
  const asked = { authorization: `Bearer ${secret}`, "x-request-id": "req_followed" };
  await (await post(`${program.url}/v1/chat/completions`, question, { headers: asked })).json();
  let text = "";
  await eventually(async () => {
    text += new TextDecoder().decode((await reader.read()).value);
    return text.includes("req_followed") || undefined;
  });
  await reader.cancel();
  expect(JSON.stringify((await logOf(program.url, "?limit=1000")).entries)).not.toContain(secret);
  const at = "?level=warn&since=2000-01-01T00:00:00Z";
  expect((await logOf(program.url, at)).entries).toEqual([]);
  for (const wrong of ["limit=0", "level=loud", "since=yesterday", "what=ever", "follow=no"]) {
    expect((await fetch(`${program.url}/api/logs?${wrong}`)).status).toBe(400);
  }
  // A node elsewhere is an endpoint that tells its own.
  const byEndpoint = await runProgram(["logs", "--endpoint", "local", "--json"], { home });
  const local = JSON.parse(byEndpoint.stdout) as Answer;
  expect(local).toMatchObject({ source: "endpoint:local", path: null });
  expect(local.entries.map(({ message }) => message)).toContain("engine.ready");
  await program.stop();
  // What was logged stays in the file.
  const later = await runProgram(["logs", "-n", "1"], { home });
  expect(later).toMatchObject({ code: 0, stdout: expect.stringContaining("serve.stopped") });
});

test("the level changes while it runs, for the node and its engines, too", async () => {
  const program = await start();
  const debugLines = async () => (await logOf(program.url, "?limit=1000")).entries.filter(isDebug);
  const isDebug = ({ level }: { level: string }) => level === "debug";
  expect(await debugLines()).toEqual([]);
  expect(await (await setLevel(program.url, "debug")).json()).toEqual({ level: "debug" });
  expect(await (await fetch(`${program.url}/log/level`)).json()).toEqual({ level: "debug" });
  const changed = await logOf(program.url, "?search=log.level_changed");
  expect(changed.entries[0]?.fields).toMatchObject({ before: "info", after: "debug" });
  process.kill(program.enginePid(TINY), "SIGKILL");
  await eventually(async () => {
    await (await post(`${program.url}/v1/chat/completions`, question)).text();
    const lines = await debugLines();
    return lines.some(({ fields }) => fields.component === "engine") || undefined;
  }, 20_000);
  expect((await setLevel(program.url, "loud")).status).toBe(400);
  const page = { origin: "http://elsewhere.example", "sec-fetch-site": "cross-site" };
  expect((await setLevel(program.url, "trace", page)).status).toBe(403);
  expect((await setLevel(program.nodeUrl, "trace", page)).status).toBe(403);
  const set = await runProgram(["logs", "--set-level", "warn"], { home: program.home });
  expect(set.code).toBe(0);
  const { entries } = await logOf(program.url, "?limit=1000");
  await (await post(`${program.url}/v1/chat/completions`, question)).json();
  expect((await logOf(program.url, "?limit=1000")).entries).toHaveLength(entries.length);
  await program.stop();
});

test("who may not read logs does not; a level that is set is in the audit log", async () => {
  const home = newHome();
  const program = await start({
    mode: "balancer",
    home,
    args: ["--access", "required"],
    untilReady: false,
  });
  const none = await fetch(`${program.url}/api/logs`);
  expect(none.status).toBe(401);
  expect((await setLevel(program.url, "debug")).status).toBe(401);
  const key = readFileSync(join(home, "local.key"), "utf8").trim();
  const mine = { authorization: `Bearer ${key}` };
  expect((await logOf(program.url, "", mine)).entries.length).toBeGreaterThan(0);
  expect((await setLevel(program.url, "debug", mine)).status).toBe(200);
  const audit = await fetch(`${program.url}/api/audit`, { headers: mine });
  expect(JSON.stringify(await audit.json())).toContain("POST /api/log/level");
  const followed = startProgram(["logs", "-f", "--level", "warn", "-n", "5"], { home });
  const reader = followed.stdout.getReader();
  let text = "";
  while (!text.includes("log.level_changed")) {
    text += new TextDecoder().decode((await reader.read()).value);
  }
  followed.kill("SIGINT");
  expect(await followed.exited).toBe(130);
  await program.stop();
});
