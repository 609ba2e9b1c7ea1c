import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { commandLine } from "../src/testkit/command.ts";
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
