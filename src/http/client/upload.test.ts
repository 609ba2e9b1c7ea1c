import { describe, expect, test } from "bun:test";
import { RAW_END, rawAnswer, rawTarget } from "../../testkit/servers/tcp.ts";
import { type Exchange, exchange } from "./exchange.ts";
import type { StreamedBody } from "./upload.ts";

const LIMIT = 64 * 1024 * 1024;

function post(url: string, body: StreamedBody): Exchange {
  return exchange({ url, method: "POST", headers: {}, body, keepAlive: true });
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

/** A server that answers with what it got. */
function echo() {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const coding = request.headers.get("transfer-encoding") ?? "none";
      const length = request.headers.get("content-length") ?? "none";
      return new Response(`${coding} ${length} ${await request.text()}`);
    },
  });
}

async function textOf(sent: Exchange): Promise<string> {
  return Buffer.from(await sent.bytes(LIMIT)).toString();
}

/** The code of the failure of a request that must fail. */
async function codeOf(sent: Exchange): Promise<unknown> {
  try {
    await sent.head;
    await sent.bytes(LIMIT);
  } catch (error) {
    return (error as { code?: unknown }).code ?? (error as Error).message;
  }
  throw new Error("it did not fail");
}

describe("a streamed body", () => {
  test("of a known length arrives with it, of an unknown one in chunks", async () => {
    const server = echo();
    const known = post(server.url.href, { stream: pieces("ab", "", "c"), length: 3 });
    expect(await textOf(known)).toBe("none 3 abc");
    const unknown = post(server.url.href, { stream: pieces("ab", "", "c") });
    expect(await textOf(unknown)).toBe("chunked none abc");
    expect(await textOf(post(server.url.href, { stream: pieces(), length: 0 }))).toBe("none 0 ");
    server.stop(true);
  });

  test("may be large, and arrives as it is", async () => {
    const piece = Buffer.alloc(100_003, "0123456789abcdef!");
    async function* many() {
      for (let i = 0; i < 150; i += 1) yield piece;
    }
    const hash = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    const server = Bun.serve({
      port: 0,
      fetch: async (request) => new Response(hash(await request.bytes())),
    });
    const expected = hash(Buffer.concat(Array.from({ length: 150 }, () => piece)));
    expect(await textOf(post(server.url.href, { stream: many() }))).toBe(expected);
    server.stop(true);
  });

  test("is read at the pace of the server", async () => {
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked += 1;
        yield Buffer.alloc(256 * 1024);
      }
    }
    const opened = Promise.withResolvers<void>();
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open(socket) {
          socket.pause();
          opened.resolve();
        },
        data: () => undefined,
      },
    });
    const sent = post(`http://127.0.0.1:${server.port}/`, { stream: endless() });
    await opened.promise;
    let before = -1;
    while (before !== asked) {
      before = asked;
      await Bun.sleep(50);
    }
    expect(asked).toBeLessThan(200);
    sent.abort(new Error("enough"));
    expect(await codeOf(sent)).toBe("enough");
    server.stop(true);
  });

  test("that fails, or has another length than declared, fails the request", async () => {
    const server = echo();
    async function* broken() {
      yield Buffer.from("a");
      throw new Error("gone");
    }
    expect(await codeOf(post(server.url.href, { stream: broken() }))).toBe("body");
    expect(await codeOf(post(server.url.href, { stream: pieces("a"), length: 2 }))).toBe("body");
    expect(await codeOf(post(server.url.href, { stream: pieces("abc"), length: 2 }))).toBe("body");
    server.stop(true);
  });

  test("is left alone when no connection can be made", async () => {
    let asked = false;
    async function* watched() {
      asked = true;
      yield Buffer.from("a");
    }
    const sent = post("http://127.0.0.1:1/", { stream: watched() });
    expect(await codeOf(sent)).toBe("connect");
    expect(asked).toBe(false);
  });

  test("is left when the request is given up, or the answer comes before its end", async () => {
    const left: string[] = [];
    const started = Promise.withResolvers<void>();
    async function* slow(name: string) {
      try {
        yield Buffer.from("a");
        started.resolve();
        for (;;) {
          await Bun.sleep(5);
          yield Buffer.from("b");
        }
      } finally {
        left.push(name);
      }
    }
    using target = rawTarget((c) => {
      if (c.index === 1 && c.request === 0) c.send(rawAnswer("no", "text/plain", "413 Too Large"));
    });
    const aborted = post(target.url, { stream: slow("aborted") });
    await started.promise;
    aborted.abort(new Error("enough"));
    expect(await codeOf(aborted)).toBe("enough");
    const refused = post(target.url, { stream: slow("refused") });
    expect((await refused.head).status).toBe(413);
    expect(await textOf(refused)).toBe("no");
    // A connection with half a request on it is of no use to others.
    await target.closed(1);
    while (left.length < 2) await Bun.sleep(5);
    expect(left).toEqual(["aborted", "refused"]);
  });

  test("leaves its connection to the next request", async () => {
    using target = rawTarget((c) => {
      if (c.received.includes(RAW_END) || c.received.startsWith("GET")) {
        c.send(rawAnswer(String(c.index)));
      }
    });
    expect(await textOf(post(target.url, { stream: pieces("a") }))).toBe("0");
    const next = { url: target.url, method: "GET", headers: {}, body: null, keepAlive: true };
    expect(await textOf(exchange(next))).toBe("0");
  });
});
