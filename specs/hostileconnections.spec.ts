import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { fileLimit } from "../src/lib/filedescriptors.ts";
import { says } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type FakeEndpoint, fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { rawClient } from "../src/testkit/servers/tcp.ts";

setDefaultTimeout(90_000);

const ACCESS = ["--access", "required"];
const env = { LLMLB_ADMIN_PASSWORD: "correct horse battery" };
/** A head that does not arrive within 10 s; the server looks every 4. */
const HEAD_MS_MAX = 30_000;

let endpoint: FakeEndpoint;
/** Lets the endpoint end its answers to the model `slow`. */
const released = Promise.withResolvers<void>();
beforeAll(() => {
  endpoint = fakeEndpoint(["m", "slow"], async (request) => {
    const { model } = (await request.json()) as { model: string };
    if (model === "slow") await released.promise;
    return Response.json({ choices: [{ message: { role: "assistant", content: "hi" } }] });
  });
});
afterAll(() => endpoint?.[Symbol.dispose]());

const start = (files?: number) =>
  Program.start({
    ...{ mode: "balancer", args: [...ACCESS, "--endpoint", `e=${endpoint.url}`], env },
    ...(files === undefined ? {} : { files }),
  });

const keyOf = ({ home }: Program) => readFileSync(join(home, "local.key"), "utf8").trim();

async function chat(program: Program, model = "m"): Promise<number> {
  const response = await fetch(`${program.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${keyOf(program)}` },
    body: JSON.stringify({ model, messages: says("hi") }),
    keepalive: false,
  });
  await response.bytes();
  return response.status;
}

/** Opens connections that say `text`, and then nothing. */
async function openMany({ url }: Program, count: number, text = ""): Promise<Socket[]> {
  const port = Number(new URL(url).port);
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i += 1) {
    const socket = connect(port, "127.0.0.1", () => text !== "" && socket.write(text));
    socket.on("error", () => socket.destroy()); // refused or closed: as it is meant
    sockets.push(socket);
    if (i % 200 === 199) await Bun.sleep(20);
  }
  return sockets;
}

describe("a request that hides in another", () => {
  let program: Program;
  beforeAll(async () => {
    program = await start();
  });
  afterAll(() => program?.stop());

  const head = (...lines: string[]) =>
    ["POST /v1/chat/completions HTTP/1.1", "host: localhost", `x-api-key: ${keyOf(program)}`]
      .concat("content-type: application/json", ...lines, "", "")
      .join("\r\n");
  const hidden = () => {
    const body = JSON.stringify({ model: "m", messages: says("smuggled") });
    return `${head(`content-length: ${body.length}`)}${body}`;
  };

  test.each<[string, string[], string]>([
    ["a length and chunks", ["content-length: 5", "transfer-encoding: chunked"], "0\r\n\r\n"],
    ["chunks and a length", ["transfer-encoding: chunked", "content-length: 5"], "0\r\n\r\n"],
    ["two lengths", ["content-length: 2", "content-length: 200"], "{}"],
    ["two lengths in a line", ["content-length: 2, 200"], "{}"],
    ["a folded line", ["x-a: 1", " content-length: 200", "content-length: 2"], "{}"],
    ["a folded coding", ["transfer-encoding:", " chunked", "content-length: 2"], "{}"],
    ["a blank before the colon", ["content-length : 2"], "{}"],
    ["a coding of another name", ["transfer-encoding: xchunked"], "0\r\n\r\n"],
    ["two codings", ["transfer-encoding: chunked", "transfer-encoding: identity"], "0\r\n\r\n"],
    ["a NUL in a value", ["x-a: a\0content-length: 200", "content-length: 2"], "{}"],
    ["a vertical tab before the coding", ["transfer-encoding:\vchunked"], "0\r\n\r\n"],
    ["a chunk's length beyond 64 bits", ["transfer-encoding: chunked"], `${"f".repeat(17)}2\r\n{}`],
    ["a negative length of a chunk", ["transfer-encoding: chunked"], "-2\r\n{}\r\n0\r\n\r\n"],
  ])("by %s reaches nothing", async (_, lines, body) => {
    const before = endpoint.requests.length;
    const client = await rawClient(program.url);
    client.send(head(...lines) + body + hidden());
    const heard = await Promise.race([client.closed, Bun.sleep(HEAD_MS_MAX).then(() => "open")]);
    expect(heard).toMatch(/^$|^HTTP\/1\.1 (?:400|501|505) /);
    expect(heard.match(/HTTP\/1\.1 2/)).toBeNull();
    expect(endpoint.requests.length).toBe(before);
    expect(await chat(program)).toBe(200);
  });

  test("heads of a megabyte are refused", async () => {
    const headers = Array.from({ length: 100_000 }, (_, i) => `x-${i}: ${i}`);
    const client = await rawClient(program.url);
    client.send(head(...headers));
    expect(await client.closed).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
    expect(await chat(program)).toBe(200);
  });

  test("heads that come slowly are given up, however they drip", async () => {
    const sockets = await openMany(program, 50, "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n");
    const drip = setInterval(() => {
      for (const socket of sockets.slice(0, 25)) if (socket.writable) socket.write("x");
    }, 500);
    expect(await chat(program)).toBe(200);
    const isGone = () => sockets.every(({ closed }) => closed) || undefined;
    await eventually(isGone, HEAD_MS_MAX).finally(() => clearInterval(drip));
  });

  test("bodies that come slowly hold up nobody", async () => {
    const sockets = await openMany(program, 200, `${head("content-length: 50000000")}{"a":"`);
    for (let i = 0; i < 5; i += 1) expect(await chat(program)).toBe(200);
    for (const socket of sockets) socket.destroy();
    // Who has no key has nothing read of what he sends.
    const refused = await rawClient(program.url);
    refused.send(
      "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000\r\n\r\n{",
    );
    expect(await refused.until("authentication_error")).toStartWith("HTTP/1.1 401 ");
    refused.reset();
  });
});

describe("idle connections", () => {
  test("of ten thousand keep nobody out", async () => {
    // This process has as many.
    const count = Math.min(10_000, Math.floor((fileLimit() ?? 20_000) * 0.6));
    const program = await start();
    const sockets = await openMany(program, count);
    expect(await chat(program)).toBe(200);
    expect(await chat(program)).toBe(200);
    for (const socket of sockets) socket.destroy();
    await program.stop();
  });

  test("that take all it may have end nothing, and others are served soon", async () => {
    const program = await start(300);
    const running = chat(program, "slow");
    await eventually(() => endpoint.active > 0 || undefined);
    const sockets = await openMany(program, 600);
    const paused = () => program.lines.some((line) => line.includes("http.connections_paused"));
    await eventually(() => paused() || undefined, 10_000);
    // A history that nobody asked for yet needs a thread, which would end the process now.
    await Bun.sleep(6000);
    expect(program.processes()).toContain(program.pid);
    await eventually(async () => (await chat(program).catch(() => 0)) === 200 || undefined, 40_000);
    released.resolve();
    expect(await running).toBe(200);
    for (const socket of sockets) socket.destroy();
    await program.stop();
  });
});
