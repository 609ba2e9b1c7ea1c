import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { SHAPES } from "../src/testkit/malformed/errorshape.ts";
import { Program } from "../src/testkit/program.ts";
import { stage } from "../src/testkit/stage.ts";
import type { EndpointList } from "../src/wire/endpoint.ts";
import { dialectOf } from "../src/wire/route.ts";

setDefaultTimeout(60_000);

const CHAT = { model: TINY, messages: says("Goodbye"), temperature: 0, max_tokens: 20 };
/** What a page may be after, and what would answer anybody. */
const ROUTES: [method: string, path: string, body?: object][] = [
  ["GET", "/health"],
  ["GET", "/ready"],
  ["GET", "/v1/models"],
  ["GET", "/api/endpoints"],
  ["GET", "/metrics"],
  ["POST", "/v1/chat/completions", CHAT],
  ["POST", "/v1/responses", { model: TINY, input: "Goodbye" }],
  ["POST", "/v1/messages", CHAT],
  ["POST", "/api/chat", CHAT],
  ["POST", "/api/endpoints", { name: "x", base_url: "http://127.0.0.1:1" }],
  ["DELETE", "/api/endpoints/x"],
  ["OPTIONS", "/v1/models"],
  ["GET", "/nowhere"],
];

function ask(url: string, host: string, [method, path, body]: (typeof ROUTES)[number]) {
  const json = { "content-type": "application/json" };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(url + path, { method, headers: { host, ...json }, ...sent });
}

async function statusOf(url: string, host: string): Promise<number> {
  return (await ask(url, host, ["GET", "/v1/models"])).status;
}

describe.each(["balancer", "node"])("a %s", (part) => {
  let program: Program;
  const url = () => (part === "node" ? program.nodeUrl : program.url);
  beforeAll(async () => {
    program = await Program.start();
  });
  afterAll(() => program?.stop());

  test("refuses whatever is asked under a foreign name, in the words of each API", async () => {
    const { port } = new URL(url());
    for (const route of ROUTES) {
      const [method, path] = route;
      const response = await ask(url(), `Evil.example:${port}`, route);
      const told = await response.text();
      expect([method, path, response.status]).toEqual([method, path, 403]);
      expect(response.headers.get("x-request-id")).toBeString();
      expect(SHAPES[dialectOf(path)].safeParse(JSON.parse(told)).error).toBeUndefined();
      expect(told).toContain("evil.example, which is no name of this llmlb");
      expect(told).toContain("--allowed-hosts evil.example");
    }
    const { error } = (await (await ask(url(), "evil.example", ["GET", "/health"])).json()) as {
      error: object;
    };
    expect(error).toMatchObject({
      ...{ type: "permission_error", code: "host_not_allowed", param: null },
    });
  });

  test("serves under its own names and under addresses", async () => {
    const { port } = new URL(url());
    const names = ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "[::1]", "192.0.2.7"];
    for (const name of [...names, hostname(), `${hostname().split(".")[0]}.local`]) {
      expect([name, await statusOf(url(), `${name}:${port}`)]).toEqual([name, 200]);
      expect([name, await statusOf(url(), name)]).toEqual([name, 200]);
    }
    const chat = await ask(url(), "localhost", ["POST", "/v1/chat/completions", CHAT]);
    expect(await chat.json()).toMatchObject({ choices: [{ message: { content: "Goodbye!" } }] });
  });

  test("does nothing for a page of another site, whatever the page sends", async () => {
    const form = new FormData();
    form.set("model", TINY);
    const JSON_TYPE = { "content-type": "application/json" };
    const text = { "content-type": "text/plain" };
    const sent: [string, RequestInit][] = [
      ["/v1/chat/completions", { headers: text, body: JSON.stringify(CHAT) }],
      ["/v1/chat/completions", { body: new Blob([JSON.stringify(CHAT)]) }],
      ["/v1/messages", { headers: JSON_TYPE, body: JSON.stringify(CHAT) }],
      ["/v1/audio/transcriptions", { body: form }],
      ["/v1/completions", { body: new URLSearchParams({ model: TINY }) }],
      ["/api/models/pull", { headers: text, body: JSON.stringify({ model: "evil/model" }) }],
      ["/api/endpoints/x", { method: "DELETE" }],
    ];
    for (const [path, init] of sent) {
      const headers = new Headers(init.headers);
      headers.set("origin", "https://evil.example");
      const response = await fetch(url() + path, { method: "POST", ...init, headers });
      const told = await response.text();
      expect([path, response.status]).toEqual([path, 403]);
      expect(SHAPES[dialectOf(path)].safeParse(JSON.parse(told)).error).toBeUndefined();
      expect(told).toContain("--allowed-origins");
    }
    const own = { origin: url(), "sec-fetch-site": "same-origin", ...JSON_TYPE };
    const body = JSON.stringify(CHAT);
    const chat = await fetch(`${url()}/v1/chat/completions`, {
      method: "POST",
      headers: own,
      body,
    });
    expect(chat.status).toBe(200);
  });

  test.each(["localhost/v1/models?", "a b", "localhost, evil.example", "::1", "user@localhost"])(
    "answers 400 to the host %p",
    async (host) => {
      const answer = await sendRaw(url(), `GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(answer).toStartWith("HTTP/1.1 400 ");
      expect(answer).toContain('"code":"invalid_host"');
    },
  );

  test("answers HTTP/1.0 without a host, and 400 to two hosts", async () => {
    expect(await sendRaw(url(), "GET /health HTTP/1.0\r\n\r\n")).toStartWith("HTTP/1.1 200 ");
    const two = "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n";
    expect(await sendRaw(url(), two)).toStartWith("HTTP/1.1 400 ");
  });
});

describe("names that are allowed", () => {
  const { start, newHome } = stage();

  test("come from --allowed-hosts, also for the local node", async () => {
    const program = await start({ args: ["--allowed-hosts", "llm.example,.lan.example"] });
    for (const url of [program.url, program.nodeUrl]) {
      for (const host of ["LLM.example:443", "lan.example", "a.lan.example"]) {
        expect([host, await statusOf(url, host)]).toEqual([host, 200]);
      }
      for (const host of ["a.llm.example", "llm.example.evil.example"]) {
        expect([host, await statusOf(url, host)]).toEqual([host, 403]);
      }
    }
  });

  test("come from the environment and config.json, and may be all", async () => {
    const home = newHome();
    const config = { allowed_hosts: ["*.lan.example"] };
    writeFileSync(join(home, "config.json"), JSON.stringify(config));
    const options = { mode: "balancer", home, untilReady: false } as const;
    const first = await start(options);
    expect(await statusOf(first.url, "a.lan.example")).toBe(200);
    expect(await statusOf(first.url, "lan.example")).toBe(403);
    await first.stop();
    const second = await start({ ...options, env: { LLMLB_ALLOWED_HOSTS: "*" } });
    expect(await statusOf(second.url, "evil.example")).toBe(200);
  });
});

describe("an endpoint that a balancer reaches by a name", () => {
  const { start } = stage();

  /** A balancer that reaches the node as `gpu.example`, by way of a proxy that knows it. */
  async function endpointOf(nodeArgs: string[], balancerArgs: string[] = []) {
    const node = await start({ mode: "node", args: nodeArgs });
    await using proxy = nameServer("gpu.example", node.url.replace("0.0.0.0", "127.0.0.1"));
    const args = ["--http-proxy", proxy.url, "--health-interval", "300ms", ...balancerArgs];
    const front = await start({ mode: "balancer", untilReady: false, args });
    await post(`${front.url}/api/endpoints`, { name: "gpu", base_url: "http://gpu.example" });
    const first = await eventually(async () => {
      const list = (await (await fetch(`${front.url}/api/endpoints`)).json()) as EndpointList;
      const [one] = list.endpoints;
      return one?.status === "online" || one?.last_error ? one : undefined;
    });
    const { status } = await post(`${front.url}/v1/chat/completions`, CHAT);
    return { ...first, chat: status };
  }

  test("is told to need --allowed-hosts, which then lets the balancer in", async () => {
    expect(await endpointOf([])).toMatchObject({
      last_error: expect.stringContaining("--allowed-hosts"),
    });
    expect(await endpointOf(["--allowed-hosts", "gpu.example"])).toMatchObject({
      ...{ status: "online", chat: 200 },
    });
  });
});

/** An HTTP proxy for one name, which is no name of the DNS. */
function nameServer(name: string, target: string) {
  const server = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch: (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers, body } = request;
      headers.set("host", name);
      return fetch(target + pathname + search, { method, headers, body });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** What a server answers to these bytes. */
function sendRaw(url: string, bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let heard = "";
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.end(bytes));
  socket.on("data", (chunk) => {
    heard += chunk.toString();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => resolve(heard));
  return promise;
}
