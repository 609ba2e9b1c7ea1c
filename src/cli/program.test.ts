import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIELD_KEYS, FIELDS } from "../config/fields.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../config/version.ts";
import { runProgram, temporaryHome } from "../testkit/command.ts";
import { settingsOfMode } from "./options/modesettings.ts";

const folder = temporaryHome();
const home = folder.path;
afterAll(() => folder[Symbol.dispose]());

describe("llmlb", () => {
  test("--help names every command, flag and variable, within 100 columns", async () => {
    const { code, stdout } = await runProgram(["--help"], { home });
    expect(code).toBe(0);
    for (const command of ["serve", "balancer", "node", "chat", "status", "doctor", "config"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    }
    const node = (await runProgram(["node", "--help"], { home })).stdout;
    for (const key of FIELD_KEYS) {
      const { flags, name } = FIELDS[key];
      const help = settingsOfMode("standalone").includes(key) ? stdout : node;
      expect(help).toContain(flags ?? "-- <arguments>");
      expect(help).toContain(`LLMLB_${name.toUpperCase()}`);
    }
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).not.toMatch(/local-node|\bengine\b {2}/);
  });

  const helps = [["run"], ["model", "add"], ["backend"], ["key", "add"]];
  test.each(helps)("help %s fits a terminal, and has no command of commander's", async (...of) => {
    const { stdout } = await runProgram(["help", ...of], { home });
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).not.toContain("display help");
  });

  test("--version names all three versions", async () => {
    const { code, stdout } = await runProgram(["--version"], { home });
    const expected = `llmlb ${VERSION} (Bun ${Bun.version}, llama.cpp ${LLAMA_CPP_VERSION})\n`;
    expect([code, stdout]).toEqual([0, expected]);
  });

  const wrong: [string[], string][] = [
    [["sttaus"], "There is no command sttaus: did you mean status?"],
    [["--prot", "1"], "unknown option '--prot': did you mean --port?"],
    [["--modle", "a.gguf"], "unknown option '--modle': did you mean --model?"],
    [["--port", "x"], "--port x: must be a whole number from 0 to 65535"],
    [["--model", "absent.gguf"], "model absent: there is no file"],
    [["node", "--endpoint", "http://a"], "unknown option '--endpoint': it is no option of this"],
    [["balancer", "--", "-c", "1"], "A balancer runs no models"],
    [["chat", "--url", "nowhere", "hi"], "--url nowhere: must be a URL"],
    [["chat"], "There is no question"],
    [["local-node"], "started by llmlb itself"],
    [
      ["--temp", "0"],
      "unknown option '--temp'. Arguments of llama-server stand after --: llmlb … -- --temp",
    ],
    [["balancer", "-c", "1"], "A balancer runs no models"],
    [
      ["show", "m"],
      "There is no command show: did you mean llmlb endpoint show, llmlb model show,",
    ],
    [["-v"], "unknown option '-v': did you mean -V?"],
    [["key", "list", "--foo"], "unknown option '--foo'\nRun llmlb key list --help to see"],
    [["key", "list", "--jsn"], "unknown option '--jsn': did you mean --json?"],
    [["endpoint", "ad"], "unknown command 'ad': did you mean add?\nRun llmlb endpoint --help"],
    [["history", "show"], "missing required argument 'id'\nRun llmlb history show --help to see"],
    [["completion", "tcsh"], "shell tcsh: must be one of bash, zsh, fish"],
    [["logs", "-n", "1001"], "--lines 1001: must be a whole number from 1 to 1000"],
    [["audit", "list", "--limit", "x"], "--limit x: must be a whole number from 1 to 1000"],
    [["--port", "x", "node"], "--port x: must be a whole number from 0 to 65535"],
  ];
  test.each(wrong)("%p is refused with exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await runProgram(args, { home });
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
  });
});

describe("words that people try", () => {
  test("help and version are commands, and options may stand before one", async () => {
    const run = (...args: string[]) => runProgram(args, { home });
    expect((await run("version")).stdout).toBe((await run("--version")).stdout);
    expect((await run("help", "chat")).stdout).toBe((await run("chat", "--help")).stdout);
    const { stdout } = await run("--home", home, "-c", "9", "config", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      home: { value: home, source: "flag" },
      engine_args: { value: ["-c", "9"], source: "flag" },
    });
  });

  test("ls is list, and logs say so where nothing has run", async () => {
    const run = (...args: string[]) => runProgram(args, { home });
    expect((await run("ls", "--json")).stdout).toBe((await run("list", "--json")).stdout);
    expect((await run("help", "ls")).stdout).toBe((await run("list", "--help")).stdout);
    expect((await run("logs")).stderr).toContain(`there is no ${home}/logs/llmlb.log either`);
  });

  test("stop and run say so where nothing runs, with exit code 3", async () => {
    const stopped = await runProgram(["stop"], { home });
    expect([stopped.code, stopped.stderr]).toEqual([3, `error: No llmlb runs from ${home}.\n`]);
    const args = ["run", "m", "hi", "--url", "http://127.0.0.1:1"];
    expect((await runProgram(args, { home })).code).toBe(3);
  });
});

describe("llmlb config", () => {
  test("shows the settings in effect and where they come from", async () => {
    using own = temporaryHome();
    const endpoints = [{ name: "gpu", url: "http://gpu1", api_key: "sk-hidden" }];
    writeFileSync(join(own.path, "config.json"), JSON.stringify({ endpoints, port: 1 }));
    const args = ["config", "--json", "--idle-timeout", "5s", "--", "-c", "9"];
    const options = { home: own.path, env: { LLMLB_PORT: "2" } };
    const { code, stdout } = await runProgram(args, options);
    expect(code).toBe(0);
    expect(stdout).not.toContain("sk-hidden");
    expect(JSON.parse(stdout)).toMatchObject({
      port: { value: 2, source: "env", from: "LLMLB_PORT" },
      idle_timeout: { value: 5000, unit: "ms", source: "flag", from: "--idle-timeout" },
      endpoints: { value: [{ name: "gpu", api_key: "***" }], source: "file" },
      engine_args: { value: ["-c", "9"], source: "flag" },
      host: { value: "127.0.0.1", source: "default" },
    });
    const text = (await runProgram(["config"], options)).stdout;
    expect(text).toMatch(/^port +2 +LLMLB_PORT$/m);
    expect(text).toMatch(/^endpoints +gpu = http:\/\/gpu1 \(key \*\*\*\) +config\.json$/m);
  });
});
