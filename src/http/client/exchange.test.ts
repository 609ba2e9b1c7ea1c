import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import { RAW_END, rawAnswer, rawChunks, rawTarget } from "../../testkit/servers/tcp.ts";
import { type ClientRequest, exchange } from "./exchange.ts";

const LIMIT = 64 * 1024 * 1024;

function get(url: string, more: Partial<ClientRequest> = {}) {
  return exchange({ url, method: "GET", headers: {}, body: null, keepAlive: true, ...more });
}

async function bodyOf(url: string, more: Partial<ClientRequest> = {}): Promise<string> {
  return Buffer.from(await get(url, more).bytes(LIMIT)).toString();
}

describe("a request", () => {
  test("is written as HTTP/1.1 wants it", async () => {
    using target = rawTarget((c) => c.send(rawAnswer(c.received)));
    const headers = { "x-a": "é" };
    const body = Buffer.from("{}");
    const received = await bodyOf(`${target.url}/p?q=1`, { method: "POST", headers, body });
    expect(received.split("\r\n")).toEqual([
      "POST /p?q=1 HTTP/1.1",
      `host: ${new URL(target.url).host}`,
      expect.stringMatching(/^x-a: /),
      "user-agent: llmlb",
      "content-length: 2",
      "",
      "{}",
    ]);
  });

  test.each([
    ["a line end", { a: "b\r\nc: d" }],
    ["a line feed", { a: "b\n" }],
    ["what becomes a line feed in one byte", { a: "b\u010a" }],
    ["a name that is none", { "a b": "c" }],
    ["a length of its own", { "Content-Length": "3" }],
  ])("with %s in a header is not sent", (_, headers: Record<string, string>) => {
    expect(() => get("http://127.0.0.1:1/", { headers })).toThrow("header");
  });

  test("to a path with other than URL characters is encoded", async () => {
    using target = rawTarget((c) => c.send(rawAnswer(c.received)));
    expect(await bodyOf(`${target.url}/é x\r\ny: z`)).toStartWith("GET /%C3%A9%20xy:%20z HTTP");
    expect(await bodyOf(`${target.url}?q=é#f`)).toStartWith("GET /?q=%C3%A9 HTTP");
  });

  test("with a large body arrives whole, however slowly it is taken", async () => {
    const hash = new Bun.CryptoHasher("sha256");
    const body = Buffer.alloc(20_000_000, "0123456789abcdef!");
    const server = Bun.serve({
      port: 0,
      async fetch(request) {
        for await (const piece of request.body ?? []) hash.update(piece);
        return new Response(hash.digest("hex"));
      },
    });
    const expected = new Bun.CryptoHasher("sha256").update(body).digest("hex");
    expect(await bodyOf(server.url.href, { method: "POST", body })).toBe(expected);
    server.stop(true);
  });
});

describe("a body that ends with its connection", () => {
  const head = "HTTP/1.1 200 OK\r\n\r\nabc";

  test("is whole when that is closed in order", async () => {
    using target = rawTarget((c) => {
      c.send(head);
      setTimeout(() => c.end(), 10);
    });
    expect(await bodyOf(target.url)).toBe("abc");
  });

  test("is broken when that is reset", async () => {
    using target = rawTarget((c) => {
      c.send(head);
      setTimeout(() => c.reset(), 10);
    });
    await expect(bodyOf(target.url)).rejects.toMatchObject({ code: "broken" });
  });
});

describe("connections", () => {
  test("are used again, the last one first, unless the answer says otherwise", async () => {
    using target = rawTarget((c) => {
      const closing = c.received.includes("/close");
      const answer = rawAnswer(String(c.index));
      c.send(closing ? answer.replace("\r\n", "\r\nconnection: close\r\n") : answer);
    });
    const ask = (path: string, more?: Partial<ClientRequest>) => bodyOf(target.url + path, more);
    expect([await ask("/"), await ask("/close"), await ask("/"), await ask("/")]).toEqual([
      "0",
      "0",
      "1",
      "1",
    ]);
    expect(await ask("/", { keepAlive: false })).toBe("2");
    expect(await ask("/")).toBe("1");
  });

  test("on which something unasked comes are not used again", async () => {
    using target = rawTarget((c) => {
      c.send(rawAnswer(String(c.index)));
      if (c.index === 0) setTimeout(() => c.send(rawAnswer("poison")), 5);
    });
    expect(await bodyOf(target.url)).toBe("0");
    await target.closed(0);
    expect(await bodyOf(target.url)).toBe("1");
  });

  test("that close on a second request are replaced once; a fresh one is not", async () => {
    let fresh = 0;
    using target = rawTarget((c) => {
      if (c.request === 0) fresh += 1;
      if (c.request === 0 && fresh <= 2) c.send(rawAnswer(String(c.index)));
      else c.end();
    });
    expect([await bodyOf(target.url), await bodyOf(target.url)]).toEqual(["0", "1"]);
    await expect(bodyOf(target.url)).rejects.toMatchObject({ code: "broken" });
    expect(fresh).toBe(3);
  });

  test("go over Unix sockets, and to whatever localhost is", async () => {
    const folder = mkdtempSync(join(tmpdir(), "llmlb-"));
    const unix = join(folder, "s");
    const fetch = (request: Request) => new Response(request.headers.get("host"));
    const servers = [
      Bun.serve({ unix, fetch }),
      Bun.serve({ hostname: "::1", port: 0, fetch }),
      Bun.serve({ hostname: "127.0.0.1", port: 0, fetch }),
    ];
    expect(await bodyOf("http://engine/v1", { unix })).toBe("engine");
    for (const { port } of servers.slice(1)) {
      expect(await bodyOf(`http://localhost:${port}/`)).toBe(`localhost:${port}`);
    }
    for (const server of servers) server.stop(true);
    rmSync(folder, { recursive: true });
  });

  test("go to a given address under the name of the URL, which is not looked up", async () => {
    using target = rawTarget((c) => c.send(rawAnswer(c.received)));
    const { port } = new URL(target.url);
    const received = await bodyOf(`http://no-such-name.invalid:${port}/`, { ip: "127.0.0.1" });
    expect(received).toContain(`\r\nhost: no-such-name.invalid:${port}\r\n`);
  });

  test("that cannot be made fail with the reason", async () => {
    const failing = bodyOf("http://127.0.0.1:1/");
    await expect(failing).rejects.toMatchObject({ code: "connect" });
    expect(() => get("ftp://127.0.0.1/")).toThrow("ftp");
    expect(() => get("nonsense")).toThrow("no URL");
  });
});

test("a slow reader makes the server wait", async () => {
  let written = 0;
  const flood = Buffer.alloc(65_536, "x");
  function drain(socket: Socket): void {
    for (;;) {
      const count = socket.write(flood);
      written += Math.max(0, count);
      if (count < flood.length) return;
    }
  }
  function data(socket: Socket): void {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    drain(socket);
  }
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data, drain } });
  const body = get(`http://127.0.0.1:${server.port}/`);
  await body.head;
  await Bun.sleep(50);
  const before = written;
  await Bun.sleep(50);
  expect(written).toBe(before);
  for (let i = 0; i < 100; i += 1) await body.read();
  expect(written).toBeGreaterThan(before);
  body.abort(new Error("enough"));
  await expect(body.head).resolves.toBeDefined();
  expect(() => body.read()).toThrow("enough");
  server.stop(true);
});

describe("TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-"));
  let server: Bun.Server<undefined> | undefined;

  beforeAll(async () => {
    const [key, cert] = [join(folder, "key"), join(folder, "cert")];
    const options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split(" ");
    const names = ["-addext", "subjectAltName=DNS:localhost"];
    Bun.spawnSync(["openssl", ...options, ...names, "-keyout", key, "-out", cert]);
    const tls = { key: Bun.file(key), cert: Bun.file(cert) };
    server = Bun.serve({ port: 0, tls, fetch: () => new Response("secret") });
  });

  afterAll(() => {
    server?.stop(true);
    rmSync(folder, { recursive: true });
  });

  /** In a process of its own, because authorities are read at start. */
  async function ask(host: string, env: Record<string, string>, ip = ""): Promise<string> {
    const module = new URL("exchange.ts", import.meta.url).href;
    const script = `const { exchange } = await import(${JSON.stringify(module)});
      const url = "https://${host}:${server?.port}/";
      const ip = ${JSON.stringify(ip)} || undefined;
      const asked = { url, ip, method: "GET", headers: {}, body: null, keepAlive: true };
      const call = () => exchange(asked);
      try {
        for (let i = 0; i < 3; i++) console.log(Buffer.from(await call().bytes(99)).toString());
      } catch (error) { console.log(error.code) }
      process.exit(0);`;
    const run = Bun.spawn([process.execPath, "-e", script], { env: { ...process.env, ...env } });
    return (await new Response(run.stdout).text()).trim();
  }

  test.each([
    ["a known authority and the right name", "localhost", true, "secret\nsecret\nsecret", ""],
    ["the wrong name", "127.0.0.1", true, "certificate", ""],
    ["an unknown authority", "localhost", false, "certificate", ""],
    ["the right name at a given address", "localhost", true, "secret\nsecret\nsecret", "127.0.0.1"],
    ["another name at a given address", "other.invalid", true, "certificate", "127.0.0.1"],
  ])("with %s", async (_, host, known, expected, ip) => {
    const env = known ? { NODE_EXTRA_CA_CERTS: join(folder, "cert") } : {};
    expect(await ask(host, env, ip)).toBe(expected);
  });
});

const isLinux = process.platform === "linux";

test.if(isLinux)(
  "10,000 requests, 1,000 of them given up, leave no socket behind",
  async () => {
    using target = rawTarget((c) => {
      if (c.received.includes("/stream")) c.send(rawChunks("text/event-stream", "data: 1\n\n"));
      else if (c.received.includes("/chunks")) c.send(rawChunks("a/b", "1", "2") + RAW_END);
      else if (!c.received.includes("/silent")) c.send(rawAnswer("{}"));
    });
    const sockets = () => readdirSync("/proc/self/fd").length;
    await bodyOf(target.url);
    const before = sockets();
    const abort = async (path: string) => {
      const body = get(target.url + path);
      if (path === "/stream") await body.read();
      body.abort(new Error("gone"));
      await expect(body.bytes(LIMIT)).rejects.toThrow("gone");
    };
    for (let round = 0; round < 100; round += 1) {
      await Promise.all([
        ...Array.from({ length: 90 }, (_, i) => bodyOf(target.url + (i % 2 ? "/chunks" : "/"))),
        ...Array.from({ length: 5 }, () => abort("/silent")),
        ...Array.from({ length: 5 }, () => abort("/stream")),
      ]);
    }
    // Kept are those that are idle, at both ends.
    expect(sockets() - before).toBeLessThanOrEqual(2 * 100);
    await Bun.sleep(5500);
    expect(sockets() - before).toBeLessThanOrEqual(0);
  },
  60_000,
);
