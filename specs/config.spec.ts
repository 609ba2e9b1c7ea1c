import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openai, TINY } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import type { Program } from "../src/testkit/program.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(60_000);

const empty = temporaryHome();
afterAll(() => empty[Symbol.dispose]());

describe("llmlb config", () => {
  test("reads a file with comments, and names the line of what is wrong", async () => {
    const file = join(empty.path, "config.json");
    writeFileSync(file, '\uFEFF{\r\n  // the office\r\n  "port": 4711,\r\n}\r\n');
    const good = await runProgram(["config", "--json"], { home: empty.path });
    expect(JSON.parse(good.stdout)).toMatchObject({ port: { value: 4711, source: "file" } });
    writeFileSync(file, '{\n  "port": 4711\n  "host": "::1"\n}\n');
    const bad = await runProgram(["config"], { home: empty.path });
    expect([bad.code, bad.stdout]).toEqual([2, ""]);
    expect(bad.stderr).toBe(
      `error: ${file}:3:3: is not valid JSON: "host": a comma is expected before this\n`,
    );
    writeFileSync(file, '{\n  "log_level": "loud"\n}\n');
    const wrong = await runProgram(["serve"], { home: empty.path });
    expect(wrong.stderr).toContain(`${file}:2:16: log_level = "loud": must be one of trace`);
  });

  test("schema prints what editors want", async () => {
    using home = temporaryHome();
    const { code, stdout } = await runProgram(["config", "schema"], { home: home.path });
    const schema = JSON.parse(stdout) as { properties: Record<string, { enum?: string[] }> };
    expect(code).toBe(0);
    expect(schema.properties.strategy?.enum).toContain("least-busy");
    writeFileSync(join(home.path, "config.schema.json"), stdout);
    const text = '{ "$schema": "./config.schema.json", "port": 1 }';
    writeFileSync(join(home.path, "config.json"), text);
    const shown = await runProgram(["config", "--json"], { home: home.path });
    expect(JSON.parse(shown.stdout)).toMatchObject({ port: { value: 1 } });
  });
});

describe("SIGHUP", () => {
  const { start, newHome } = stage();

  /** Writes the file, sends the signal and returns what the log says of it. */
  async function reload(program: Program, text: string) {
    const seen = new Set(program.lines);
    writeFileSync(join(program.home, "config.json"), text);
    program.signal("SIGHUP");
    const line = await eventually(() =>
      program.lines.find((one) => !seen.has(one) && /"msg":"serve.settings_/.test(one)),
    );
    return JSON.parse(line) as Record<string, unknown>;
  }
  /** The status of the alias `office`. */
  const office = async ({ url }: Program) => (await fetch(`${url}/v1/models/office`)).status;
  /** The status of a request with a body of so many bytes. */
  const sends = async (url: string, bytes: number) => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      ...{ method: "POST", headers: { "content-type": "application/json" } },
      body: JSON.stringify({
        ...{ model: TINY, max_tokens: 1, user: "x".repeat(bytes) },
        messages: [{ role: "user", content: "Goodbye" }],
      }),
    });
    await response.body?.cancel();
    return response.status;
  };

  test("puts what can change into effect, on balancer and node; the rest is named", async () => {
    const home = newHome();
    writeFileSync(join(home, "config.json"), '{ "log_level": "warn", "served_by": false }');
    const program = await start({ home, env: { LLMLB_LOG_LEVEL: "info" } });
    const client = openai(program);
    expect(await office(program)).toBe(404);
    expect(await sends(program.nodeUrl, 3000)).toBe(200);
    const told = await reload(
      program,
      `{ // the office's
        "aliases": ["office=${TINY}"], "body_limit": "2KiB", "served_by": true,
        "strategy": "latency", "log_level": "error", "queue_max": 7,
      }`,
    );
    expect(told).toMatchObject({
      msg: "serve.settings_reloaded",
      changed: ["served_by", "aliases", "queue_max", "body_limit"],
      waiting: ["strategy"],
      advice: "They count after llmlb restart.",
    });
    const { data, response } = await client.chat.completions
      .create({ model: "office", messages: [{ role: "user", content: "Goodbye" }] })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe("Goodbye!");
    expect(response.headers.get("x-llmlb-model")).toBe(TINY);
    expect(await sends(program.url, 3000)).toBe(413);
    await eventually(async () => (await sends(program.nodeUrl, 3000)) === 413 || undefined);
    // What a variable says still wins, and nothing was restarted.
    expect(program.lines.join("\n")).not.toContain("local_node.ended");
  });

  test("with a file that is wrong, all stays as it was, and the log says why", async () => {
    const home = newHome();
    writeFileSync(join(home, "config.json"), `{ "aliases": ["office=${TINY}"] }`);
    const program = await start({ home });
    const told = await reload(program, '{\n "aliases": [],\n "queue_max": 0 }');
    expect(told).toMatchObject({
      ...{ msg: "serve.settings_not_reloaded", level: "warn" },
      reason: expect.stringContaining("config.json:3:15: queue_max = 0: must be a whole number"),
      advice: "The settings before it still hold.",
    });
    expect(await office(program)).toBe(200);
    expect(await reload(program, "{}")).toMatchObject({ changed: ["aliases"] });
    expect(await office(program)).toBe(404);
  });

  test("changes how much is logged, also by the node", async () => {
    const home = newHome();
    const program = await start({ home });
    await reload(program, '{ "access_log": false, "log_level": "debug" }');
    await sends(program.url, 1);
    for (const url of [program.url, program.nodeUrl]) {
      await eventually(async () => {
        const { level } = (await (await fetch(`${url}/api/log/level`)).json()) as { level: string };
        return level === "debug" || undefined;
      });
    }
    expect(program.lines.slice(-20).join("\n")).not.toContain("http.request");
    await reload(program, '{ "access_log": true }');
    await sends(program.url, 1);
    await eventually(() => program.lines.find((one) => one.includes("http.request")));
  });
});
