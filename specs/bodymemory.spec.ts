import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type MediaServer, mediaServer } from "../src/testkit/servers/media.ts";
import { beginRequest } from "../src/testkit/slowrequest.ts";
import { ROUTE_LIST } from "../src/wire/route.ts";

setDefaultTimeout(60_000);

const MIB = 2 ** 20;
const MARK = "\ufeff";
const JSON_TYPE = "application/json";

let program: Program;
let media: MediaServer;

beforeAll(async () => {
  media = mediaServer(["whisper-1"]);
  const memory = ["--body-memory", "8MiB", "--queue-timeout", "1500ms"];
  program = await Program.start({ args: [...memory, "--endpoint", `media=${media.url}`] });
});
afterAll(async () => {
  await program?.stop();
  media?.[Symbol.dispose]();
});

interface Request {
  path: string;
  body: Uint8Array<ArrayBuffer>;
  type?: string;
}

function send(url: string, { path, body, type = JSON_TYPE }: Request): Promise<Response> {
  return fetch(url + path, { method: "POST", headers: { "content-type": type }, body });
}

/** A request of so many bytes for one word of the built-in model. */
function json(path: string, bytes: number): Request {
  const input = path === "/v1/responses" ? { input: "hi" } : { messages: says("hi") };
  const lengths = { max_tokens: 1, options: { num_predict: 1 }, stream: false };
  const request = { model: TINY, ...input, ...lengths, padding: "a".repeat(bytes) };
  return { path, body: new TextEncoder().encode(JSON.stringify(request)) };
}

async function form(path: string, bytes: number): Promise<Request> {
  const data = new FormData();
  data.append("model", "whisper-1");
  const sound = new Uint8Array(bytes);
  sound.set(Buffer.from("RIFF\0\0\0\0WAVEfmt "));
  data.append("file", new File([sound], "a.wav"));
  const made = new Response(data);
  const type = made.headers.get("content-type") ?? "";
  return { path, body: new Uint8Array(await made.arrayBuffer()), type };
}

/** How each API says that there is no memory for a body. */
const REFUSALS: Record<string, object> = {
  "/v1/chat/completions": { error: { code: "body_memory_full", message: expect.any(String) } },
  "/v1/responses": { error: { code: "body_memory_full", message: expect.any(String) } },
  "/v1/messages": { type: "error", error: { message: expect.stringContaining("--body-memory") } },
  "/api/chat": { error: expect.stringContaining("--body-memory") },
};

describe.each(["balancer", "node"] as const)("at a %s without memory for another body", (part) => {
  const url = () => (part === "node" ? program.nodeUrl : program.url);
  const paths = Object.keys(REFUSALS).filter((path) => part === "balancer" || path !== "/api/chat");

  test.each(paths)("%s refuses it for now, and nothing is lost", async (path) => {
    const large = json(path, 2 * MIB);
    const held = await beginRequest(url() + path, large);
    const refused = await eventually(async () => {
      const response = await send(url(), large);
      return response.status === 503 ? response : void (await response.bytes());
    });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject(REFUSALS[path] ?? {});
    const small = await Promise.all([1, 2, 3].map(() => send(url(), json(path, 1000))));
    expect(small.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await held.finish()).toBe(200);
    expect((await send(url(), large)).status).toBe(200);
  });

  test("a body waits for one that is soon done", async () => {
    const path = "/v1/chat/completions";
    const large = json(path, 2 * MIB);
    const held = await beginRequest(url() + path, large);
    const waiting = send(url(), large);
    expect([await held.finish(), (await waiting).status]).toEqual([200, 200]);
  });
});

test("a form is refused for now as well, and nothing is lost", async () => {
  const path = "/v1/audio/transcriptions";
  const large = await form(path, 4 * MIB);
  const held = await beginRequest(program.url + path, large);
  const refused = await eventually(async () => {
    const response = await send(program.url, large);
    return response.status === 503 ? response : void (await response.bytes());
  });
  expect(refused.headers.get("retry-after")).not.toBeNull();
  expect(await refused.json()).toMatchObject({ error: { code: "body_memory_full" } });
  const small = await send(program.url, await form(path, 1000));
  expect(small.status).toBe(200);
  expect(await held.finish()).toBe(200);
  expect((await send(program.url, large)).status).toBe(200);
});

describe("a byte order mark", () => {
  const marked = (path: string, body: object): Request => ({
    path,
    body: new TextEncoder().encode(MARK + JSON.stringify(body)),
  });
  const routes = ROUTE_LIST.filter(({ form: kind }) => kind === undefined);

  test.each(routes.map(({ path }) => path))("is passed over by %s", async (path) => {
    for (const url of [program.url, program.nodeUrl]) {
      const response = await send(url, marked(path, { model: "none" }));
      const text = await response.text();
      expect([url, response.status, text]).not.toEqual([url, 400, expect.stringMatching("JSON")]);
      expect(response.status).toBeLessThan(500);
    }
  });

  test("is passed over by the routes of management", async () => {
    const endpoint = { name: "marked", base_url: "http://127.0.0.1:9" };
    const added = await send(program.url, marked("/api/endpoints", endpoint));
    expect(added.status).toBe(201);
    const { id } = (await added.json()) as { id: string };
    await fetch(`${program.url}/api/endpoints/${id}`, { method: "DELETE" });
  });

  test("does not reach the engine, small or large, translated or not", async () => {
    for (const path of ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat"]) {
      for (const bytes of [10, 400_000]) {
        const { body } = json(path, bytes);
        const request = { path, body: Buffer.concat([Buffer.from(MARK), body]) };
        expect([path, (await send(program.url, request)).status]).toEqual([path, 200]);
      }
    }
  });
});

test("memory is counted, and all of it is given back", async () => {
  const metric = async (name: string) => {
    const text = await (await fetch(`${program.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  };
  expect(await metric("llmlb_bodies_refused_total")).toBeGreaterThan(0);
  expect(await metric("llmlb_bodies_bytes")).toBe(0);
});
