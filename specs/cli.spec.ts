import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { caseOf } from "../src/testkit/cases.ts";
import { openai, says, TINY } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(30_000);

const empty = temporaryHome();
afterAll(() => empty[Symbol.dispose]());

describe("llmlb, without a server,", () => {
  test("tells its versions and its commands", async () => {
    const version = await runProgram(["--version"], { home: empty.path });
    expect(version.code).toBe(0);
    expect(version.stdout).toMatch(/^llmlb \d+\.\d+\.\d+ \(Bun [\d.]+, llama\.cpp v[\d.]+\)\n$/);
    const help = await runProgram(["--help"], { home: empty.path });
    expect(help.code).toBe(0);
    for (const name of ["serve", "balancer", "node", "chat", "status", "doctor", "config"]) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
    }
    expect(help.stderr).toBe("");
  });

  test("refuses what it does not know, with exit code 2", async () => {
    const { code, stdout, stderr } = await runProgram(["serv"], { home: empty.path });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("did you mean serve?");
  });

  test("says so when nothing answers, with exit code 3", async () => {
    for (const args of [["chat", "Goodbye"], ["status"]]) {
      const result = await runProgram([...args, "--url", "http://127.0.0.1:1"], {
        home: empty.path,
      });
      expect(result.code).toBe(3);
      expect(result.stderr).toContain("No llmlb answers at http://127.0.0.1:1");
      expect(result.stdout).toBe("");
    }
  });

  test("shows its settings and where each comes from", async () => {
    using own = temporaryHome();
    const home = own.path;
    writeFileSync(join(home, "config.json"), JSON.stringify({ port: 1, body_limit: "2MiB" }));
    const env = { LLMLB_PORT: "2" };
    const { code, stdout } = await runProgram(["config", "--json", "--idle-timeout", "5s"], {
      home,
      env,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      port: { value: 2, source: "env" },
      body_limit: { value: 2 * 2 ** 20, source: "file" },
      idle_timeout: { value: 5000, source: "flag" },
      host: { value: "127.0.0.1", source: "default" },
    });
  });

  test("looks at the machine", async () => {
    const { code, stdout } = await runProgram(["doctor", "--json"], { home: empty.path });
    const report = JSON.parse(stdout) as {
      ok: boolean;
      findings: { subject: string; state: string; details?: string[] }[];
    };
    expect(code).toBe(report.ok ? 0 : 1);
    const states = Object.fromEntries(report.findings.map((one) => [one.subject, one.state]));
    expect(states).toMatchObject({ Versions: "ok", Settings: "ok", Libraries: "ok" });
    const devices = report.findings.find(({ subject }) => subject === "Devices");
    expect(devices?.state).toBe("ok");
    expect(devices?.details?.some((line) => line.includes("(cpu)"))).toBe(true);
  });
});

test("llmlb doctor finds a damaged database, and ends with 1", async () => {
  using home = temporaryHome();
  await Bun.write(join(home.path, "history.db"), "x".repeat(5000));
  const { code, stdout } = await runProgram(["doctor"], { home: home.path });
  expect(stdout).toMatch(/^FAIL {2}history\.db .*history\.db failed: the file is damaged/m);
  expect(code).toBe(1);
});

describe("llmlb, beside a server of the same home,", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start();
  });
  afterAll(() => program?.stop());
  const client = (args: string[], stdin = "") => runProgram(args, { home: program.home, stdin });

  test("finds its databases whole", async () => {
    const { stdout } = await client(["doctor", "--json"]);
    const { findings } = JSON.parse(stdout) as { findings: { subject: string; state: string }[] };
    const states = Object.fromEntries(findings.map(({ subject, state }) => [subject, state]));
    expect(states).toMatchObject({ "lb.db": "ok", "history.db": "ok", "secret.key": "ok" });
  });

  test("answers one question", async () => {
    const result = await client(["chat", "Goodbye"]);
    expect(result).toEqual({ code: 0, stdout: "Goodbye!\n", stderr: "" });
  });

  test("answers a question that is piped in, with instructions too", async () => {
    expect((await client(["chat"], "Name the capital of England.\n")).stdout).toBe(
      "The capital of England is London.\n",
    );
    const system = ["--system", "You are called Traigos."];
    expect((await client(["chat", ...system], "Introduce yourself.")).stdout).toBe(
      "I am Traigos.\n",
    );
  });

  test("looks at a picture", async () => {
    const { request, expected } = caseOf("image_describe");
    const content = JSON.stringify(request.messages);
    const picture = join(program.home, "picture.png");
    const [, data = ""] = /base64,([^"]+)"/.exec(content) ?? [];
    writeFileSync(picture, Buffer.from(data, "base64"));
    const result = await client(["chat", "--image", picture, "Describe this picture."]);
    expect(result.stdout).toBe(`${(expected as { content: string }).content}\n`);
  });

  test("passes on what the server refuses, with exit code 1", async () => {
    const { code, stdout, stderr } = await client(["chat", "--model", "nothing", "Goodbye"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("nothing");
  });

  test.each([
    [["model", "pull", "none"], "See llmlb model list for what is registered."],
    [["endpoint", "token", "--revoke", "none"], "see llmlb endpoint tokens for those there are"],
  ])("names the command to look with, not the route (%p)", async (args, advice) => {
    const { code, stderr } = await client(args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(advice)]);
    expect(stderr).not.toMatch(/GET \//);
  });

  test("shows the server's state", async () => {
    const { code, stdout } = await client(["status", "--json"]);
    expect(code).toBe(0);
    const { servers } = JSON.parse(stdout) as { servers: Record<string, unknown>[] };
    expect(servers).toHaveLength(1);
    expect(servers[0]).toMatchObject({
      url: program.url,
      pid: program.pid,
      mode: "standalone",
      health: { status: "ok" },
      ready: { status: "ready", endpoints: [{ name: "local", status: "online", models: 1 }] },
      models: [{ id: TINY, ready: true }],
      system: { models: [{ id: TINY }] },
    });
    expect((await client(["status"])).stdout).toContain(TINY);
  });

  test("does not take a port that is in use, and says by whom", async () => {
    const port = new URL(program.url).port;
    const result = await client(["node", "--port", port]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`port is in use by llmlb (standalone, process ${program.pid})`);
  });

  test("does not start a second balancer on one data folder", async () => {
    const result = await client(["--port", "0"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`is in use by llmlb (standalone, process ${program.pid}`);
  });

  test("talks with a model by its name, and stops a server in good order", async () => {
    expect(await client(["run", TINY, "Goodbye"])).toMatchObject({ code: 0, stdout: "Goodbye!\n" });
    const own = await Program.start({ mode: "node", args: ["-c", "2048", "-np", "2"] });
    expect(await (await fetch(`${own.url}/api/system`)).json()).toMatchObject({
      slots: { total: 2 },
    });
    const { code, stdout } = await runProgram(["stop"], { home: own.home });
    expect([code, stdout]).toEqual([0, `Stopped llmlb (node, process ${own.pid})\n`]);
    expect(await own.exited).toBe(0);
    await own.stop();
  });

  test("balances over endpoints that are named", async () => {
    const balancer = await Program.start({
      mode: "balancer",
      args: ["--endpoint", `here=${program.nodeUrl}/v1`],
    });
    try {
      const { choices } = await openai(balancer).chat.completions.create({
        model: TINY,
        messages: says("Goodbye"),
        temperature: 0,
      });
      expect(choices[0]?.message.content).toBe("Goodbye!");
      const { data } = await openai(balancer).models.list();
      expect(data).toMatchObject([{ id: TINY, endpoint_ids: ["here"] }]);
      expect(balancer.processes()).toEqual([balancer.pid]);
    } finally {
      await balancer.stop();
    }
  });
});
