import { describe, expect, test } from "bun:test";
import { proxy, REQUEST, send } from "../../testkit/forwarding.ts";
import {
  RAW_END,
  type RawConnection,
  rawAnswer,
  rawChunks,
  rawClient,
  rawTarget,
} from "../../testkit/servers/tcp.ts";

const JSON_TYPE = "application/json";

describe("a whole answer", () => {
  test("comes back with its status and bytes", async () => {
    using target = rawTarget((c) => c.send(rawAnswer('{"error":1}', JSON_TYPE, "404 Not Found")));
    const { response, sent } = await send(target.url);
    expect([response.status, await response.text(), await sent]).toEqual([
      404,
      '{"error":1}',
      "complete",
    ]);
  });

  test("is joined when it came in chunks", async () => {
    using target = rawTarget((c) => c.send(rawChunks(JSON_TYPE, '{"a"', ":1}") + RAW_END));
    expect(await (await send(target.url)).response.json()).toEqual({ a: 1 });
  });

  test.each([
    ["with a length", (c: RawConnection) => c.send(rawAnswer("{}".padEnd(9)).slice(0, -3))],
    ["in chunks", (c: RawConnection) => c.send(rawChunks(JSON_TYPE, "{"))],
    ["before its headers", () => undefined],
    ["after garbage", (c: RawConnection) => c.send("hello\r\n\r\n")],
  ])("that is cut %s becomes an error", async (_, begin) => {
    using target = rawTarget((c) => {
      begin(c);
      c.end();
    });
    await expect(send(target.url)).rejects.toMatchObject({ kind: "upstream", status: 502 });
  });
});

test.each(["301 Moved", "307 Temporary Redirect", "304 Not Modified"])(
  "a redirect is never handed on: %s",
  async (status) => {
    using target = rawTarget((c) => {
      c.send(rawAnswer("", "text/html\r\nlocation: http://10.9.8.7/v1/x", status));
    });
    const failure = await send(target.url).catch((error) => error);
    expect(failure).toMatchObject({ kind: "upstream", status: 502 });
    expect(failure.message).toMatch(/redirects are not followed.*base URL/);
    expect(failure.message).not.toContain("10.9.8.7");
    expect(String(failure.cause)).toContain("10.9.8.7");
  },
);

describe("what is sent says what it is", () => {
  const FORM = "Multipart/form-data; boundary=b";
  test.each([
    ["application/json; charset=utf-8", JSON_TYPE],
    ["text/plain", JSON_TYPE],
    [undefined, JSON_TYPE],
    [FORM, FORM],
  ])("%s goes on as %s", async (given, sent) => {
    const target = Bun.serve({
      port: 0,
      fetch: ({ headers }) => Response.json({ type: headers.get("content-type") }),
    });
    const headers = new Headers(given === undefined ? {} : { "content-type": given });
    const { response } = await send(target.url.origin, { headers });
    expect(await response.json()).toEqual({ type: sent });
    await target.stop(true);
  });
});

test("what Connection names goes no further, either way", async () => {
  const received: string[] = [];
  using target = rawTarget((c) => {
    received.push(c.received);
    const head =
      "HTTP/1.1 200 OK\r\nX-Hop: 1\r\nConnection: x-hop ,\r\nx-kept: 1\r\nX-Route: 1\r\n";
    c.send(`${head}CONNECTION:\tkeep-alive\t,X-ROUTE, Content-Type\r\n`);
    c.send(`content-type: ${JSON_TYPE}\r\ncontent-length: 2\r\n\r\n{}`);
  });
  const { url, stop } = proxy(target.url);
  const client = await rawClient(url);
  const named = "Connection: TraceParent\t,\r\nconnection: close,content-length\r\n";
  client.send(REQUEST.replace("\r\n\r\n", `\r\n${named}traceparent: 1\r\ntracestate: 2\r\n\r\n`));
  const answer = (await client.closed).toLowerCase();
  expect(answer).toContain(`content-type: ${JSON_TYPE}`);
  expect(answer).toContain("x-kept: 1");
  expect(answer).not.toMatch(/x-hop|x-route/);
  expect(answer).toEndWith("{}");
  const [asked = ""] = received;
  expect(asked).toContain("tracestate: 2");
  expect(asked).toEndWith("\r\n\r\n{}");
  expect(asked).not.toMatch(/traceparent/i);
  stop();
});

test("a body of another type that breaks off is cut, not completed", async () => {
  using target = rawTarget((c) => {
    c.send(rawChunks("application/octet-stream", "abc"));
    setTimeout(() => c.end(), 20);
  });
  const { url, sent, stop } = proxy(target.url);
  const client = await rawClient(url);
  client.send(REQUEST);
  const received = await client.closed;
  expect(received).toContain("abc");
  expect(received).not.toEndWith(RAW_END);
  expect(await sent).toBe("failed");
  stop();
});

describe("before the answer", () => {
  test("a silent target is a timeout", async () => {
    using target = rawTarget(() => undefined);
    const sending = send(target.url, { firstByteTimeoutMs: 30 });
    await expect(sending).rejects.toMatchObject({ kind: "timeout", status: 504 });
    await target.closed(0);
  });

  test("a target that is not there is an upstream error without its address", async () => {
    const target = rawTarget(() => undefined);
    target[Symbol.dispose]();
    const failure = await send(target.url).catch((error) => error);
    expect(failure).toMatchObject({ kind: "upstream", status: 502 });
    expect(failure.message).not.toContain("127.0.0.1");
  });

  test("a client that leaves lets the target go", async () => {
    const asked = Promise.withResolvers<void>();
    using target = rawTarget(() => asked.resolve());
    const { url, sent, stop } = proxy(target.url);
    const client = await rawClient(url);
    client.send(REQUEST);
    await asked.promise;
    client.reset();
    expect(await sent).toContain("client");
    await target.closed(0);
    stop();
  });

  test("a kept-alive connection that was closed is replaced", async () => {
    using target = rawTarget((c) => (c.request === 0 ? c.send(rawAnswer("{}")) : c.reset()));
    for (let i = 0; i < 4; i += 1) expect((await send(target.url)).response.status).toBe(200);
  });
});
