import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { CHATS, dataUrl, MESSAGES, OLLAMA, RESPONSES } from "../src/testkit/histories.ts";
import { Program } from "../src/testkit/program.ts";
import { anthropicServer } from "../src/testkit/servers/anthropic/server.ts";
import { googleServer } from "../src/testkit/servers/google/server.ts";
import { strictChat } from "../src/testkit/servers/strictchat.ts";
import { completion } from "../src/testkit/servers/translating.ts";

setDefaultTimeout(30_000);

const system = (content: string) => ({ role: "system", content });
const developer = (content: string) => ({ role: "developer", content });

/** As strict as those of Qwen, Gemma and Mistral are. */
const STRICT_TEMPLATE = `{%- for message in messages %}
{%- if message.role == 'system' and not loop.first %}
{{- raise_exception('System message must be at the beginning.') }}
{%- endif %}
{%- if message.role not in ['system', 'user', 'assistant', 'tool'] %}
{{- raise_exception('Unexpected message role.') }}
{%- endif %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

describe("several system messages, with our own engine and a strict template", () => {
  const folder = temporaryHome();
  let program: Program;
  beforeAll(async () => {
    const file = join(folder.path, "strict.jinja");
    writeFileSync(file, STRICT_TEMPLATE);
    program = await Program.start({ args: ["--", "--threads", "1", "--chat-template-file", file] });
  });
  afterAll(async () => {
    await program?.stop();
    folder[Symbol.dispose]();
  });

  const turns = says("Introduce yourself.");
  const named = "You are called Traigos.";
  const input = [...turns, developer("")];
  test.each<[string, object]>([
    ["/v1/chat/completions", { messages: [system(""), developer(named), ...turns] }],
    ["/v1/chat/completions", { messages: [...turns, system(named)] }],
    ["/v1/responses", { instructions: named, input }],
    ["/v1/messages", { system: named, messages: [...turns, system("")], max_tokens: 50 }],
    ["/api/chat", { messages: [system(named), ...turns, system("")], stream: false }],
  ])("are one for %s", async (path, body) => {
    for (const url of [program.url, program.nodeUrl]) {
      // A node does not speak Ollama's API.
      if (path === "/api/chat" && url === program.nodeUrl) continue;
      const answer = await post(url + path, { model: TINY, temperature: 0, ...body });
      expect([answer.status, await answer.text()]).toEqual([
        200,
        expect.stringContaining("I am Traigos."),
      ]);
    }
  });
});

describe("a history", () => {
  const endpoint = strictChat(["strict"], ["reasoning_content"]);
  const cloud = strictChat(["m"]);
  const [anthropic, google] = [anthropicServer(), googleServer()];
  let program: Program;
  beforeAll(async () => {
    const args = ["-e", `strict=${endpoint.url}`, "--provider", `groq=${cloud.url}/v1`];
    program = await Program.start({
      ...{ mode: "balancer", args },
      env: {
        ANTHROPIC_API_KEY: anthropic.key,
        ANTHROPIC_API_BASE_URL: anthropic.url,
        GEMINI_API_KEY: google.key,
        GOOGLE_API_BASE_URL: google.url,
      },
    });
  });
  afterAll(async () => {
    await program?.stop();
    for (const server of [endpoint, cloud, anthropic, google]) server[Symbol.dispose]();
  });

  const UPSTREAMS = ["strict", "groq:m", "anthropic:claude-opus-5", "google:gemini-2.5-pro"];
  const APIS: [string, Record<string, object>, object][] = [
    ["/v1/messages", MESSAGES, { messages: says("x"), max_tokens: 50 }],
    ["/v1/responses", RESPONSES, { input: "x" }],
    ["/api/chat", OLLAMA, { stream: false }],
    ["/v1/chat/completions", CHATS, { messages: says("x") }],
  ];
  /** Whoever speaks the client's own API gets its bytes, and has to know what they mean. */
  const OWN: Record<string, RegExp> = {
    "/v1/messages": /^anthropic:/,
    "/v1/chat/completions": /^(?:strict|groq:)/,
  };
  test("with thoughts that nobody signed may go on with Anthropic itself", async () => {
    for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
      const body = { ...MESSAGES["its thoughts"], model: "anthropic:claude-opus-5" };
      const limit = path === "/v1/messages" ? { max_tokens: 50 } : {};
      expect((await post(program.url + path, { ...body, ...limit })).status).toBe(200);
    }
  });

  const CASES = APIS.flatMap(([path, histories, rest]) =>
    Object.entries(histories).flatMap(([name, history]) =>
      UPSTREAMS.filter((model) => OWN[path]?.test(model) !== true).map(
        (model) => [path, name, model, { ...rest, ...history }] as const,
      ),
    ),
  );

  test.each(CASES)("of %s with %s is taken by %s", async (path, _, model, body) => {
    const answer = await post(program.url + path, { model, ...body });
    expect([answer.status, answer.ok ? "" : await answer.text()]).toEqual([200, ""]);
  });

  /** The chat that an upstream was sent last. */
  const sentTo = ({ chats }: { chats: Record<string, unknown>[] }) =>
    chats.at(-1) as { messages: Record<string, unknown>[] };

  test("keeps its thoughts where the model can read them, and only there", async () => {
    for (const [path, histories] of APIS.slice(0, 3)) {
      for (const model of ["strict", "groq:m"]) {
        const rest = path === "/v1/messages" ? { max_tokens: 50 } : { stream: false };
        await post(program.url + path, { model, ...rest, ...histories["its thoughts"] });
      }
      const said = [endpoint, cloud].map((one) => sentTo(one).messages[1]);
      expect(said).toMatchObject([{ content: "y", reasoning_content: "hm" }, { content: "y" }]);
      expect(said[1]).not.toHaveProperty("reasoning_content");
    }
  });

  test("shows all of its images, mended", async () => {
    for (const [path, histories] of APIS.slice(0, 3)) {
      const rest = path === "/v1/messages" ? { max_tokens: 50 } : { stream: false };
      for (const [name, count] of [
        ["images in results of tools", 1],
        ["a dozen images over its turns", 12],
        ["an image to be mended", 1],
      ] as const) {
        await post(program.url + path, { model: "strict", ...rest, ...histories[name] });
        const urls = JSON.stringify(sentTo(endpoint).messages).matchAll(/"url":"([^"]*)"/g);
        const seen = Array.from(urls, ([, url]) => url);
        expect([path, name, seen]).toEqual([path, name, Array(count).fill(dataUrl())]);
      }
    }
  });

  test("has sampling only as far as the model of Anthropic's takes it", async () => {
    const ask = async (model: string, more: object) => {
      const body = { model: `anthropic:${model}`, messages: says("x"), ...more };
      expect((await post(`${program.url}/v1/chat/completions`, body)).status).toBe(200);
      return anthropic.requests.at(-1)?.body;
    };
    const both = { temperature: 0.2, top_p: 0.4 };
    const old = await ask("claude-haiku-4-5", both);
    expect(old).toMatchObject({ temperature: 0.2 });
    expect(old).not.toHaveProperty("top_p");
    const thinks = await ask("claude-haiku-4-5", { ...both, reasoning_effort: "high" });
    expect(thinks).not.toHaveProperty("temperature");
    const newest = await ask("claude-opus-5", { ...both, top_k: 5 });
    for (const field of ["temperature", "top_p", "top_k"]) expect(newest).not.toHaveProperty(field);
  });
});

describe("a conversation of Claude Code", () => {
  const endpoints = [1, 2, 3].map(() => strictChat(["m"]));
  let program: Program;
  beforeAll(async () => {
    const named = endpoints.flatMap(({ url }, i) => ["-e", `e${i}=${url}`]);
    program = await Program.start({ mode: "balancer", args: named });
  });
  afterAll(async () => {
    await program?.stop();
    for (const one of endpoints) one[Symbol.dispose]();
  });

  test("stays where its prompt is known, though its stamp differs each time", async () => {
    for (let i = 0; i < 6; i += 1) {
      await post(`${program.url}/v1/chat/completions`, { model: "m", messages: says("hi") });
    }
    for (const { chats } of endpoints) chats.length = 0;
    for (let turn = 0; turn < 12; turn += 1) {
      const stamp = `x-anthropic-billing-header: cc_version=2.1.37.0d9; cch=${turn * 7919};`;
      const system = [stamp, "Long system prompt of an agent. ".repeat(400)];
      const blocks = system.map((said) => ({ type: "text", text: said }));
      const body = { model: "m", max_tokens: 50, messages: says("hi"), system: blocks };
      expect((await post(`${program.url}/v1/messages`, body)).status).toBe(200);
    }
    expect(endpoints.map(({ chats }) => chats.length).sort()).toEqual([0, 0, 12]);
    const { chats = [] } = endpoints.find((one) => one.chats.length > 0) ?? {};
    expect(new Set(chats.map((chat) => JSON.stringify(chat))).size).toBe(1);
  });
});

describe("the address of an endpoint", () => {
  test("may end in a version of its own, and hold a name and a password", async () => {
    const paths: string[] = [];
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        const isRight = request.headers.get("authorization") === `Basic ${btoa("user:pass")}`;
        paths.push(isRight ? pathname : `without its password: ${pathname}`);
        if (pathname === "/api/paas/v4/models") return Response.json({ data: [{ id: "m" }] });
        const isChat = pathname === "/api/paas/v4/chat/completions";
        const isQuestion = request.headers.get("content-length") === "2";
        if (!isChat || isQuestion) return new Response("no such path", { status: 404 });
        return Response.json(completion({ content: "taken" }));
      },
    });
    const url = `http://user:pass@127.0.0.1:${server.port}/api/paas/v4`;
    const program = await Program.start({ mode: "balancer", args: ["-e", `zai=${url}`] });
    try {
      for (const path of ["/v1/chat/completions", "/v1/messages"]) {
        const body = { model: "m", messages: says("x"), max_tokens: 50 };
        expect(await (await post(program.url + path, body)).text()).toContain("taken");
      }
      expect(paths.filter((path) => path.includes("v4/v1") || path.includes(":"))).toEqual([]);
    } finally {
      await program.stop();
      await server.stop(true);
    }
  });
});
