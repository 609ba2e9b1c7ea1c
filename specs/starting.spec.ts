import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine, runProgram, startProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { MOUNTS, mountDisk } from "../src/testkit/memorydisk.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(60_000);

const { start, newHome } = stage();
const children: ReturnType<typeof startProgram>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function ready(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/ready`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const until = (url: string, expected: string) =>
  eventually(async () => {
    const { status, body } = await ready(url);
    return body.status === expected ? { status, body } : undefined;
  }, 20_000);

describe("a start that fails ends with the reason,", () => {
  test("before it listens", async () => {
    const home = newHome();
    writeFileSync(join(home, "run"), "");
    const { code, stderr } = await runProgram(["balancer", "--port", "0"], { home });
    expect(code).toBe(1);
    expect(stderr).toContain(`${join(home, "run")}): it is a file, not a folder`);
  });

  test("after it listens", async () => {
    const home = newHome();
    // Free: nothing else of these tests listens there.
    const port = "43817";
    const file = join(home, "run", `serve-${port}.json`);
    mkdirSync(file, { recursive: true });
    const { code, stderr } = await runProgram(["balancer", "--port", port], { home });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`Writing ${file} failed`)]);
    expect(await fetch(`http://127.0.0.1:${port}/health`).catch(() => "gone")).toBe("gone");
  });

  // From source, the libraries are those of the build folder.
  test.skipIf(!process.env.LLMLB_BIN || !MOUNTS)(
    "where no library may be loaded from the data folder",
    async () => {
      using disk = mountDisk("noexec");
      const ports = ["--port", "0", "--node-port", "0"];
      const { code, stderr } = await runProgram(["serve", ...ports], { home: disk.path });
      expect([code, stderr.split("\n").at(-2)]).toEqual([1, expect.stringMatching(/noexec/)]);
      expect(stderr).not.toContain("Arguments after");
    },
  );

  // Only the superuser can become a user that nobody knows.
  test
    .skipIf(process.platform !== "linux" || process.getuid?.() !== 0)
    .each([[["list"]], [["pull", "org/name"]], [["serve"]]])(
    "for a user without a home folder: %j",
    async (args) => {
      const stranger = ["setpriv", "--reuid", "4242", "--clear-groups"];
      const child = Bun.spawn([...stranger, ...commandLine(args)], {
        env: { PATH: process.env.PATH ?? "" },
        stderr: "pipe",
        stdout: "ignore",
      });
      const stderr = await new Response(child.stderr).text();
      expect([await child.exited, stderr]).toEqual([2, expect.stringContaining("LLMLB_HOME")]);
      expect(stderr).not.toContain(" at ");
    },
  );
});

describe("a data folder belongs to one balancer,", () => {
  test("of many that start at the same moment", async () => {
    const home = newHome();
    const rivals = Array.from({ length: 4 }, () => {
      return startProgram(["balancer", "--port", "0"], { home });
    });
    children.push(...rivals);
    await eventually(() => {
      return rivals.filter(({ exitCode }) => exitCode === 1).length === 3 || undefined;
    }, 20_000);
    const losers = rivals.filter(({ exitCode }) => exitCode !== null);
    for (const loser of losers) {
      expect(await new Response(loser.stderr).text()).toContain(`folder ${home} is in use by`);
    }
    expect(rivals.filter(({ exitCode }) => exitCode === null)).toHaveLength(1);
  });

  test("and is free again after kill -9", async () => {
    const home = newHome();
    const first = await start({ mode: "balancer", home, untilReady: false });
    await first.kill();
    const second = await start({ mode: "balancer", home, untilReady: false });
    await second.stop();
  });

  test("and to one node that joined", async () => {
    const [home, nodeHome] = [newHome(), newHome()];
    const front = await start({ mode: "balancer", home, untilReady: false });
    const token = (await runProgram(["endpoint", "token", "--uses", "2"], { home })).stdout.trim();
    const args = ["--join", front.url, "--token", token];
    const node = await start({ mode: "node", home: nodeHome, args });
    const rival = await runProgram(["node", "--port", "0", ...args], { home: nodeHome });
    expect([rival.code, rival.stderr]).toEqual([1, expect.stringContaining("is in use by llmlb")]);
    // One that joins nothing may share the folder.
    const other = await start({ mode: "node", home: nodeHome });
    await other.kill();
    await node.kill();
  });
});

describe("signals:", () => {
  test("two SIGTERMs within half a second are one", async () => {
    const program = await start();
    const body = { model: "llmlb-tiny", messages: [{ role: "user", content: "Tell a story" }] };
    const answer = fetch(`${program.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ ...body, max_tokens: 300, ignore_eos: true }),
    });
    await Bun.sleep(200);
    program.signal("SIGTERM");
    program.signal("SIGTERM");
    expect((await answer).status).toBe(200);
    expect(await program.exited).toBe(0);
  });

  test("SIGHUP ends neither a server nor its node nor an engine", async () => {
    const program = await start();
    const pids = program.processes();
    expect(pids.length).toBeGreaterThan(2);
    for (const pid of pids) process.kill(pid, "SIGHUP");
    await Bun.sleep(300);
    expect(program.processes()).toEqual(pids);
    expect((await ready(program.url)).status).toBe(200);
    await program.stop();
  });
});

describe("/ready is 503", () => {
  test.each(["standalone", "node"] as const)(
    "while the only model of a %s cannot be loaded",
    async (mode) => {
      const home = newHome();
      const file = join(home, "broken.gguf");
      writeFileSync(file, "GGUF and then nothing of use");
      const program = await start({ mode, home, args: ["--model", file], untilReady: false });
      const { status, body } = await until(program.url, "model_failed");
      expect(status).toBe(503);
      expect(body.reason).toContain("Loading broken.gguf failed");
      await program.stop();
    },
  );

  test("while a node has not joined", async () => {
    const args = ["--join", "http://127.0.0.1:9", "--token", "enrol_x"];
    const program = await start({ mode: "node", args, untilReady: false });
    const { status, body } = await until(program.url, "joining");
    expect([status, typeof body.reason]).toEqual([503, "string"]);
    await program.stop();
  });
});

describe("what can never work ends the start with status 2:", () => {
  test.each([
    ["serve", ["--node-port", "0"]],
    ["node", []],
  ] as [string, string[]][])("a wrong argument of an engine, of %s", async (mode, ports) => {
    const args = [mode, "--port", "0", ...ports, "--", "--ctx-sise", "5"];
    const { code, stderr } = await runProgram(args, { home: newHome() });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: .*--ctx-sise/m)]);
  });

  test("joining without a token, or with one that is not good", async () => {
    const front = await start({ mode: "balancer", untilReady: false });
    const node = (...args: string[]) =>
      runProgram(["node", "--port", "0", "--join", front.url, ...args], { home: newHome() });
    const none = await node();
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("llmlb endpoint token")]);
    const bad = await node("--token", "enrol_nothing");
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringMatching(/^error: Joining .*token/m)]);
    const [, told = ""] = /^error: (.*)$/m.exec(bad.stderr) ?? [];
    expect(told).toEndWith(
      "failed: the token is no good, it is not known here. Make another one: \
llmlb endpoint token.",
    );
    await front.stop();
  });
});
