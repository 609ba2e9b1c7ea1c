import { afterAll, describe, expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { makeCertificate } from "../../testkit/certificate.ts";
import { ApiError } from "../../wire/error.ts";
import type { MessageSink, MessageSocket } from "../messagesocket.ts";
import { createApp } from "../server/app.ts";
import { Drain } from "../server/drain.ts";
import { listen } from "../server/listen.ts";
import { upgradeToWebSocket } from "../server/websocket.ts";
import { openWebSocket, type WebSocketOptions, WebSocketRefusal } from "./websocket.ts";

/** A side that keeps what comes. */
class Side implements MessageSink {
  readonly messages: (Buffer | string)[] = [];
  readonly closed = Promise.withResolvers<string>();
  socket: MessageSocket | undefined;
  #waiting: (() => void) | undefined;

  onOpen(socket: MessageSocket): void {
    this.socket = socket;
  }
  onMessage(message: Buffer | string): void {
    this.messages.push(message);
    this.#waiting?.();
  }
  onClose(reason: string): void {
    this.closed.resolve(reason);
  }
  async received(count: number): Promise<(Buffer | string)[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.messages;
  }
}

/** Sends back what it gets, but closes for `bye`. */
class Echo extends Side {
  override onMessage(message: Buffer | string): void {
    if (message === "bye") this.socket?.close("as you wish");
    else this.socket?.send(message);
  }
}

const made = makeCertificate({ name: "worker" });
const certificate = { ...made, isSelfSigned: true, notBefore: 0, expiresAt: 0 };
const servers = [undefined, certificate].map((one) => {
  const app = createApp({ log: createLogger({ level: "silent" }), drain: new Drain() });
  app.get("/socket", (c) => {
    if (c.req.header("authorization") === "Bearer key") return upgradeToWebSocket(c, new Echo());
    throw new ApiError("unauthorized", "No.", { code: "invalid_api_key" });
  });
  return listen(app, { host: "127.0.0.1", port: 0, certificate: one });
});
const [plain, secure] = servers.map(({ url }) => url) as [string, string];
afterAll(() => Promise.all(servers.map((server) => server.stop(true))));

async function open(url: string, more: Partial<WebSocketOptions> = {}): Promise<Side> {
  const sink = new Side();
  const headers = { authorization: "Bearer key" };
  await openWebSocket({ url: `${url}/socket`, headers, timeoutMs: 5000, sink, ...more });
  return sink;
}

const failureOf = (opening: Promise<unknown>) => opening.catch((error: unknown) => error);

describe.each([
  ["over TCP", plain, {}],
  ["over TLS", secure, { fingerprint: made.fingerprint }],
])("a WebSocket %s", (_, url, route) => {
  test("carries messages of every length, whole and in order", async () => {
    const side = await open(url, route);
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 1_500_000];
    const sent = sizes.map((size) => Buffer.alloc(size, "0123456789abcdef!"));
    for (const bytes of sent) side.socket?.send(bytes);
    side.socket?.send("text, ünd more");
    const got = await side.received(sizes.length + 1);
    expect(got.at(-1)).toBe("text, ünd more");
    for (const [i, bytes] of sent.entries()) expect(bytes.equals(got[i] as Buffer)).toBe(true);
    side.socket?.send("bye");
    expect(await side.closed.promise).toBe("as you wish");
  });

  test("that is refused tells what the server said", async () => {
    const error = await failureOf(open(url, { ...route, headers: {} }));
    expect(error).toBeInstanceOf(WebSocketRefusal);
    expect(error).toMatchObject({ status: 401, body: expect.stringContaining("invalid_api_key") });
  });
});

test("the key is sent to nobody but the server whose certificate is pinned", async () => {
  const fingerprint = `sha256:${"0".repeat(64)}`;
  expect(await failureOf(open(secure, { fingerprint }))).toMatchObject({ code: "certificate" });
  expect(await failureOf(open(secure))).toMatchObject({ code: "certificate" });
});

test("a server that answers without having read the key is no WebSocket", async () => {
  const answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";
  using server = Bun.listen({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: { data: (socket) => void socket.write(answer) },
  });
  const url = `http://127.0.0.1:${server.port}`;
  expect(await failureOf(open(url))).toMatchObject({ code: "malformed" });
});

test("a path that is asked without Upgrade says what it speaks", async () => {
  const answer = await fetch(`${plain}/socket`, { headers: { authorization: "Bearer key" } });
  expect([answer.status, await answer.text()]).toEqual([
    400,
    expect.stringContaining("websocket_expected"),
  ]);
});
