import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, temporaryHome } from "../../testkit/command.ts";

const folder = temporaryHome();
const home = folder.path;

/** What the server was asked, and what it is to answer. */
let asked: Record<string, unknown>[] = [];
let frames: string[] = [];

const chunk = (delta: object) => JSON.stringify({ choices: [{ delta }] });

beforeEach(() => {
  asked = [];
  frames = [chunk({ content: "Hel" }), chunk({ content: "lo" }), "[DONE]"];
});

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  routes: {
    "/v1/models": () =>
      Response.json({
        data: [
          { id: "late", ready: false },
          { id: "first", ready: true },
        ],
      }),
    "/v1/models/first": () => Response.json({ id: "first" }),
    "/api/generate": async (request) => {
      const body = (await request.json()) as object;
      asked.push({ ...body, path: "/api/generate" });
      return Response.json({});
    },
    "/api/models/load": async (request) => {
      const body = (await request.json()) as { settings?: { parallel?: number } };
      asked.push(body);
      if (body.settings?.parallel !== 7) return Response.json({});
      return Response.json({ error: { message: "too many" } }, { status: 400 });
    },
    "/v1/chat/completions": async (request) => {
      const body = (await request.json()) as Record<string, unknown>;
      asked.push({ ...body, key: request.headers.get("authorization") });
      if (body.model === "absent") {
        return Response.json({ error: { message: "no model absent" } }, { status: 404 });
      }
      const text = frames.map((frame) => `data: ${frame}\r\n\r\n`).join("");
      return new Response(text, { headers: { "content-type": "text/event-stream" } });
    },
  },
});

afterAll(() => {
  folder[Symbol.dispose]();
  return server.stop(true);
});

const url = server.url.origin;

describe("llmlb chat", () => {
  test("answers one question with the first model that is ready", async () => {
    const args = ["chat", "--url", `${url}/v1`, "--api-key", "sk-1", "Hi", "there"];
    const { code, stdout, stderr } = await runProgram(args, { home });
    expect([code, stdout, stderr]).toEqual([0, "Hello\n", ""]);
    expect(asked).toMatchObject([
      {
        model: "first",
        stream: true,
        messages: [{ role: "user", content: "Hi there" }],
        key: "Bearer sk-1",
      },
    ]);
  });

  test("takes a question from a pipe, instructions and a picture", async () => {
    const picture = join(home, "dot.png");
    writeFileSync(picture, "PNG");
    const args = ["chat", "-m", "x", "--system", "Be brief.", "--image", picture, "Look:"];
    await runProgram(args, { home, stdin: "piped\n", env: { LLMLB_URL: url } });
    const image = `data:image/png;base64,${btoa("PNG")}`;
    expect(asked[0]?.messages).toEqual([
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: image } },
          { type: "text", text: "Look:\n\npiped" },
        ],
      },
    ]);
  });

  test("sends parameters, a format and how long the model is to stay", async () => {
    frames.splice(2, 0, JSON.stringify({ usage: { completion_tokens: 2 } }));
    const sets = ["--set", "temperature=0.2", "--set", "num_predict=9", "--set", "stop=a,b"];
    const more = ["--format", '{"type":"object"}', "--keepalive", "1h", "--verbose"];
    const args = ["run", "first", "--url", url, ...sets, ...more, "Hi"];
    const { code, stdout, stderr } = await runProgram(args, { home });
    expect([code, stdout, stderr]).toEqual([0, "Hello\n", expect.stringMatching(/^\[2 tokens/)]);
    expect(asked[0]).toMatchObject({
      ...{ temperature: 0.2, max_tokens: 9, stop: ["a", "b"], keep_alive: "1h" },
      response_format: { type: "json_schema", json_schema: { schema: { type: "object" } } },
    });
  });

  test.each([
    ["--set", "temprature=1", "There is no parameter temprature: did you mean temperature?"],
    ["--set", "constructor=1", "There is no parameter constructor"],
    ["--set", "temperature=warm", 'temperature must be a number, not "warm"'],
    ["--set", "num_ctx=much", "num_ctx: must be a whole number"],
    ["--set", "pin=yes", "pin: must be true or false"],
    ["--set", "temperature", "name=value is expected"],
    ["--format", "yaml", "--format must be json or a JSON schema"],
    ["--keepalive", "soon", "--keepalive must be a time such as 5m, 0 or -1"],
  ])("refuses %s %s before it asks, and says what is meant", async (flag, value, message) => {
    const { code, stderr } = await runProgram(["chat", "--url", url, flag, value, "Hi"], { home });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(asked).toEqual([]);
  });

  test("run loads the model with what belongs to it, and asks with the rest", async () => {
    const flags = ["--ctx-size", "8192", "--gpu-layers", "0", "--temp", "0.2"];
    const args = ["run", "first", "--url", url, ...flags, "--set", "num_thread=3", "Hi"];
    const { code, stdout } = await runProgram(args, { home });
    expect([code, stdout]).toEqual([0, "Hello\n"]);
    const settings = { ctx_size: 8192, gpu_layers: 0, threads: 3 };
    expect(asked).toMatchObject([{ model: "first", settings }, { temperature: 0.2 }]);
    expect(asked[1]).not.toHaveProperty("settings");
  });

  test("a load that the server refuses ends it before the question", async () => {
    const args = ["run", "first", "--url", url, "--parallel", "7", "Hi"];
    const { code, stderr } = await runProgram(args, { home });
    expect([code, stderr]).toEqual([1, expect.stringContaining("loaded with parallel: too many")]);
    expect(asked).toHaveLength(1);
    const wrong = await runProgram(["run", "first", "--url", url, "--parallel", "x"], { home });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--parallel: must be")]);
  });

  test("shows no thoughts in a pipe", async () => {
    frames = [chunk({ reasoning_content: "hm" }), chunk({ content: "42\n" }), "[DONE]"];
    const { stdout } = await runProgram(["chat", "--url", url, "Hi"], { home });
    expect(stdout).toBe("42\n");
  });

  test.each([
    ["an error of the server", ["-m", "absent"], [], "error: no model absent (HTTP 404)"],
    ["an error in mid-stream", [], [chunk({}), '{"error":{"message":"broke"}}'], "error: broke"],
    ["a cut stream", [], [chunk({ content: "a" })], "error: The answer ended early"],
    ["a missing picture", ["--image", "absent.png"], [], "error: There is no picture absent.png"],
  ])("tells of %s with exit code 1", async (_name, extra, given, message) => {
    frames = given;
    const { code, stderr } = await runProgram(["chat", "--url", url, ...extra, "Hi"], { home });
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });

  test("tells how to start llmlb when none answers, with exit code 3", async () => {
    const { code, stderr } = await runProgram(["chat", "--url", "http://127.0.0.1:9", "Hi"], {
      home,
    });
    expect(stderr).toContain("No llmlb answers at http://127.0.0.1:9: the connection was refused");
    expect(stderr).toContain("llmlb --model file.gguf");
    expect(code).toBe(3);
  });
});

/** Starts the program on a terminal of its own. */
function onTerminal(args: string[]) {
  let shown = "";
  const decoder = new TextDecoder();
  const until = async (text: string) => {
    for (let i = 0; !shown.includes(text); i += 1) {
      if (i > 400) throw new Error(`${text} was not shown, but: ${shown}`);
      await Bun.sleep(25);
    }
    shown = shown.slice(shown.indexOf(text) + text.length);
  };
  const child = Bun.spawn([process.execPath, "src/main.ts", ...args], {
    cwd: join(import.meta.dir, "../../.."),
    env: { HOME: home, LLMLB_HOME: home, TERM: "xterm", NO_COLOR: "1" },
    terminal: {
      cols: 80,
      rows: 24,
      data: (_terminal, data) => {
        shown += decoder.decode(data);
      },
    },
  });
  const type = (keys: string) => child.terminal?.write(keys);
  return { child, until, type };
}

describe.skipIf(process.platform === "win32")("llmlb chat on a terminal", () => {
  test("holds a conversation, stops at Ctrl-C and leaves at the next", async () => {
    frames.splice(2, 0, JSON.stringify({ usage: { completion_tokens: 2 } }));
    const { child, until, type } = onTerminal(["chat", "--url", url]);
    await until("> ");
    type("one\r");
    await until("Hello");
    await until("[2 tokens");
    await until("> ");
    type("two\r");
    await until("[2 tokens");
    await until("> ");
    expect(asked[1]?.messages).toMatchObject([
      { content: "one" },
      { role: "assistant", content: "Hello" },
      { content: "two" },
    ]);
    type("/model late\r");
    await until("Now with late");
    type("/clear\r");
    await until("Forgotten");
    type("/set parameter temperature 0.5\r");
    await until("temperature is 0.5");
    type("/set system Be brief.\r");
    await until("Instructed");
    type("three\r");
    await until("[2 tokens");
    await until("> ");
    expect(asked[2]).toMatchObject({
      ...{ model: "late", temperature: 0.5 },
      messages: [{ role: "system", content: "Be brief." }, { content: "three" }],
    });
    type("/set parameter num_ctx 4096\r");
    await until("num_ctx is 4096");
    type("/set parameter num_gpu 0\r");
    await until("num_gpu is 0");
    expect(asked[4]?.settings).toEqual({ ctx_size: 4096, gpu_layers: 0 });
    type("/set parameter num_ctx much\r");
    await until("num_ctx: must be a whole number");
    type("half a line");
    await until("half a line");
    type("\x03");
    await Bun.sleep(50);
    expect(child.exitCode).toBeNull();
    type("\x03");
    expect(await child.exited).toBe(0);
  });

  test("run loads a model once: as it is, or with what belongs to it", async () => {
    const { port } = server.url;
    const entry = { pid: process.pid, started_at: "", port: Number(port), mode: "balancer", url };
    const pidFile = join(home, "run", `serve-${port}.json`);
    mkdirSync(join(home, "run"), { recursive: true });
    writeFileSync(pidFile, JSON.stringify(entry));
    try {
      for (const flags of [[], ["--ctx-size", "8192"]]) {
        const { child, until, type } = onTerminal(["run", "first", ...flags]);
        await until("> ");
        type("/bye\r");
        expect(await child.exited).toBe(0);
      }
    } finally {
      rmSync(pidFile);
    }
    expect(asked).toEqual([
      { model: "first", path: "/api/generate" },
      { model: "first", settings: { ctx_size: 8192 } },
    ]);
  });
});
