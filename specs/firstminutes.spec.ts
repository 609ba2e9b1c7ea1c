import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(60_000);

const empty = temporaryHome();
afterAll(() => empty[Symbol.dispose]());
const run = (...args: string[]) => runProgram(args, { home: empty.path });

describe("llmlb help", () => {
  test("of a command is its --help; one that there is not is refused", async () => {
    expect((await run("help", "model", "list")).stdout).toBe(
      (await run("model", "list", "--help")).stdout,
    );
    const { code, stdout, stderr } = await run("help", "sttaus");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("did you mean status?");
    expect((await run("help", "model", "lst")).stderr).toContain("did you mean list?");
  });
});

test("a variable that was mistyped is a warning of every command", async () => {
  const options = { home: empty.path, env: { LLMLB_PROT: "1" } };
  const { code, stderr } = await runProgram(["config", "--json"], options);
  const told = "LLMLB_PROT is set, but no setting has that name: did you mean LLMLB_PORT?";
  expect([code, stderr]).toEqual([0, `warning: ${told}\n`]);
});

describe("the first start from a data folder", () => {
  const { start, newHome } = stage();
  test("names the dashboard, the second does not", async () => {
    const home = newHome();
    const first = await start({ home, mode: "balancer", untilReady: false });
    const line = await eventually(() => first.lines.find((one) => one.includes("first_run")));
    expect(JSON.parse(line)).toMatchObject({ dashboard: `${first.url}/dashboard` });
    expect((await fetch(`${first.url}/dashboard`)).status).toBe(200);
    await first.stop();
    const second = await start({ home, mode: "balancer", untilReady: false });
    await second.stop();
    expect(second.lines.join("\n")).toContain("serve.stopped");
    expect(second.lines.join("\n")).not.toContain("first_run");
  });
});

describe("llmlb launch", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start();
    const bin = join(program.home, "bin");
    mkdirSync(bin);
    // A client that asks a question as Claude Code would, and ends with a status of its own.
    writeFileSync(
      join(bin, "claude"),
      `#!/bin/sh
echo "$@"
echo "key=\${ANTHROPIC_API_KEY-none}"
curl -s "$ANTHROPIC_BASE_URL/v1/messages" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" \\
  -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \\
  -d '{"max_tokens":20,"messages":[{"role":"user","content":"Goodbye"}],
  "model":"'$ANTHROPIC_MODEL'"}'
exit 7
`,
    );
    chmodSync(join(bin, "claude"), 0o755);
  });
  afterAll(() => program?.stop());
  const launch = (...args: string[]) =>
    runProgram(["launch", ...args], {
      home: program.home,
      env: {
        PATH: `${join(program.home, "bin")}:${process.env.PATH}`,
        ANTHROPIC_API_KEY: "sk-ant-paid",
      },
    });

  test("starts a client with the model, and ends as it ends", async () => {
    const { code, stdout, stderr } = await launch("claude", "-p", "--", "-p", "two words");
    expect([code, stdout.split("\n")[0]]).toEqual([2, ""]);
    expect(stderr).toContain("unknown option '-p'");
    const started = await launch("claude", "--", "-p", "two words");
    expect(started.stderr).toBe("With llmlb-tiny; another one: --model NAME\n");
    const [given, key, answer = ""] = started.stdout.split("\n");
    expect([given, key]).toEqual(["-p two words", "key=none"]);
    expect(JSON.parse(answer)).toMatchObject({ content: [{ type: "text", text: "Goodbye!" }] });
    expect(started.code).toBe(7);
  });

  test("--print is what a shell reads to do the same", async () => {
    const { stdout } = await launch("claude", "--print");
    const script = `${stdout}\nexec claude`;
    const env = { PATH: `${join(program.home, "bin")}:${process.env.PATH}` };
    const shell = Bun.spawnSync(["sh", "-c", script], { env });
    expect(shell.stdout.toString()).toContain("Goodbye!");
    const { command, unset } = JSON.parse((await launch("codex", "--json")).stdout);
    expect([command[0], unset]).toEqual(["codex", []]);
  });

  test("says what is missing", async () => {
    const missing = await launch("aider");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("there is no program aider on the PATH");
    expect(missing.stderr).toContain("pipx install aider-chat");
    expect((await launch("cluade")).stderr).toContain("did you mean claude?");
    const unknown = await launch("claude", "--model", "llmlb-tinny");
    expect(unknown.stderr).toContain("has no model llmlb-tinny. Did you mean llmlb-tiny?");
    const nowhere = await launch("claude", "--url", "http://127.0.0.1:1");
    expect([nowhere.code, nowhere.stderr]).toEqual([
      3,
      expect.stringContaining("No llmlb answers at http://127.0.0.1:1"),
    ]);
  });
});

describe("llmlb launch, where keys are needed,", () => {
  const { start, newHome } = stage();
  test("gives none away that is only for commands, and passes on a client's own", async () => {
    const home = newHome();
    const args = ["--access", "required"];
    const program = await start({ home, args });
    const env = { PATH: process.env.PATH ?? "" };
    const without = await runProgram(["launch", "env", "--print"], { home, env });
    expect([without.code, without.stdout]).toEqual([1, ""]);
    expect(without.stderr).toContain("llmlb key add NAME");
    const made = await runProgram(["key", "add", "agent", "--json"], { home });
    const { key } = JSON.parse(made.stdout) as { key: string };
    const own = { home, env: { ...env, LLMLB_API_KEY: key } };
    const { stdout } = await runProgram(["launch", "env"], own);
    expect(stdout).toContain(`OPENAI_API_KEY=${key}\n`);
    expect(stdout).toContain(`OPENAI_BASE_URL=${program.url}/v1\n`);
    const wrong = await runProgram(["launch", "env", "--api-key", "sk_wrong"], { home, env });
    expect(wrong.stderr).toContain("refuses the key");
  });
});
