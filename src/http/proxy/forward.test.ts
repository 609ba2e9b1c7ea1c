import { describe, expect, test } from "bun:test";
import {
  RAW_END,
  type RawConnection,
  rawAnswer,
  rawChunk,
  rawChunks,
  rawClient,
  rawTarget,
} from "../../testkit/servers/tcp.ts";
import { type Forwarded, type ForwardOptions, forward } from "./forward.ts";

const SSE = "text/event-stream";
const JSON_TYPE = "application/json";

function send(url: string, more: Partial<ForwardOptions> = {}): Promise<Forwarded> {
  return forward({
    target: { url: `${url}/v1/x`, label: "endpoint e" },
    method: "POST",
    headers: new Headers({ "content-type": JSON_TYPE }),
    body: new TextEncoder().encode("{}"),
    requestId: "req_1",
    dialect: "openai",
    caller: new AbortController(),
    firstByteTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    ...more,
  });
}

/** Serves `forward` and returns the outcome of the one request that is sent to it. */
function proxy(url: string, more: Partial<ForwardOptions> = {}) {
  const sent = Promise.withResolvers<string>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      try {
        const { headers } = request;
        const forwarded = await send(url, { caller: request, headers, ...more });
        forwarded.sent.then(sent.resolve);
        return forwarded.response;
      } catch (error) {
        sent.resolve(String(error));
        return new Response(null, { status: 500 });
      }
    },
  });
  return { url: server.url.href, sent: sent.promise, stop: () => server.stop(true) };
}

const REQUEST = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";

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

describe("an error that is not in the client's API", () => {
  const HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>";
  const openai = (message: string, type: string, code: string) => ({
    error: { message, type, code, param: null },
  });
  const at = "The request failed at endpoint e";
  const invalid = "invalid_request_error";
  const MODEL = { whole: (bytes: Buffer) => ({ bytes }), stream: () => failing() };
  const failing = () => {
    throw new Error("no stream");
  };

  test.each<[string, string, string, object, Partial<ForwardOptions>?]>([
    [
      "404 Not Found",
      "not here",
      "text/plain",
      openai(`${at} (404): not here`, "not_found_error", "not_found"),
    ],
    [
      "404 Not Found",
      "",
      "text/plain",
      openai(`${at} (404): it did not say why.`, "not_found_error", "not_found"),
    ],
    [
      "502 Bad Gateway",
      HTML,
      "text/html",
      openai(`${at} (502): it did not say why.`, "service_unavailable", "upstream"),
    ],
    ["422 Unprocessable", '{"detail":"no"}', JSON_TYPE, openai("no", invalid, "invalid_request")],
    [
      "400 Bad Request",
      "not JSON",
      JSON_TYPE,
      openai(`${at} (400): not JSON`, invalid, "invalid_request"),
    ],
    [
      "400 Bad Request",
      "odd",
      "text/plain",
      openai(`${at} (400): odd`, invalid, "invalid_request"),
      { rewrite: MODEL },
    ],
    [
      "400 Bad Request",
      '{"error":{"message":"no","type":"x","code":null,"param":null}}',
      JSON_TYPE,
      { type: "error", error: { type: invalid, message: "no" }, request_id: "req_1" },
      { dialect: "anthropic" },
    ],
    [
      "400 Bad Request",
      '{"error":{"message":"no"}}',
      JSON_TYPE,
      { error: "no" },
      { dialect: "ollama" },
    ],
  ])("is told in it: %s %s", async (status, body, type, told, more = {}) => {
    using target = rawTarget((c) => c.send(rawAnswer(body, type, status)));
    const { response } = await send(target.url, more);
    expect(response.status).toBe(Number.parseInt(status, 10));
    expect(response.headers.get("content-type")).toBe(JSON_TYPE);
    expect(await response.json()).toEqual(told);
  });

  test.each<[string, Partial<ForwardOptions>]>([
    ['{ "error": {"message": "m", "more": 1} }', {}],
    ['{ "error": "text" }', {}],
    ['{ "type": "error", "error": {"type": "t", "message": "m"} }', { dialect: "anthropic" }],
    ['{ "error": "text" }', { dialect: "ollama" }],
  ])("is left as it is where it is in it: %s %j", async (body, more) => {
    using target = rawTarget((c) => c.send(rawAnswer(body, JSON_TYPE, "400 Bad Request")));
    expect(await (await send(target.url, more)).response.text()).toBe(body);
  });
});

describe("an event stream", () => {
  test("passes as it comes", async () => {
    let connection: RawConnection | undefined;
    using target = rawTarget((c) => {
      connection = c;
      c.send(rawChunks(SSE, "data: 1\n\n"));
    });
    const { response, sent } = await send(target.url);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe("data: 1\n\n");
    connection?.send(rawChunk("data: 2\n\n") + RAW_END);
    expect((await reader?.read())?.value).toBe("data: 2\n\n");
    expect((await reader?.read())?.done).toBe(true);
    expect(await sent).toBe("complete");
  });

  test.each(["end", "reset"] as const)(
    "that breaks off (%s) ends with an error frame",
    async (how) => {
      using target = rawTarget((c) => {
        c.send(rawChunks(SSE, 'data: {"a":1}\n\ndata: {"hal'));
        setTimeout(() => c[how](), 20);
      });
      const { response, sent } = await send(target.url);
      const events = (await response.text()).split("\n\n").map((event) => event.trim());
      expect(events).toEqual(['data: {"a":1}', expect.stringMatching(/^data: \{"error":/), ""]);
      expect(events[1]).toContain('"code":"upstream"');
      expect(await sent).toBe("failed");
    },
  );

  test("of a response that breaks off ends with an event that has the next number", async () => {
    const event = (number: number) =>
      `event: x\ndata: {"type":"x","sequence_number":${number}}\n\n`;
    using target = rawTarget((c) => {
      c.send(rawChunks(SSE, event(0) + event(1), event(2)));
      setTimeout(() => c.end(), 20);
    });
    const { response } = await send(target.url, { dialect: "responses" });
    const text = await response.text();
    const last = JSON.parse(text.slice(text.lastIndexOf("data: ") + 6));
    expect(last).toMatchObject({ type: "error", sequence_number: 3, code: "upstream" });
    expect(last.error).toMatchObject({ message: last.message, code: "upstream" });
  });

  test("that falls silent ends with a timeout frame, and the target is let go", async () => {
    using target = rawTarget((c) => c.send(rawChunks(SSE, "data: 1\n\n")));
    const { response, sent } = await send(target.url, { idleTimeoutMs: 30, dialect: "anthropic" });
    expect(await response.text()).toMatch(
      /^data: 1\n\n\nevent: error\ndata: .*timeout_error.*\n\n$/,
    );
    expect(await sent).toBe("failed");
    await target.closed(0);
  });

  test.each([
    ["signs of life", ": ping\n\n"],
    ["a byte at a time", "x"],
  ])("that drips without an event ends with a timeout: %s", async (_, drop) => {
    let drip: Timer | undefined;
    using target = rawTarget((c) => {
      c.send(rawChunks(SSE));
      drip = setInterval(() => c.send(rawChunk(drop)), 5);
    });
    const { response, sent } = await send(target.url, { firstByteTimeoutMs: 200 });
    expect(await response.text()).toContain('"code":"timeout"');
    expect(await sent).toBe("failed");
    await target.closed(0);
    clearInterval(drip);
  });

  test("that nobody asked for and drips is a timeout", async () => {
    let drip: Timer | undefined;
    using target = rawTarget((c) => {
      c.send(rawChunks(SSE));
      drip = setInterval(() => c.send(rawChunk(": ping\n\n")), 5);
    });
    const gather = () => undefined;
    const dripping = send(target.url, { firstByteTimeoutMs: 200, gather });
    await expect(dripping).rejects.toMatchObject({ kind: "timeout" });
    await target.closed(0);
    clearInterval(drip);
  });

  test("whose client leaves lets the target go", async () => {
    using target = rawTarget((c) => c.send(rawChunks(SSE, "data: 1\n\n")));
    const { url, sent, stop } = proxy(target.url);
    const client = await rawClient(url);
    client.send(REQUEST);
    await client.until("data: 1");
    client.reset();
    expect(await sent).toBe("cancelled");
    await target.closed(0);
    stop();
  });

  test("that nobody wants after all lets the target go", async () => {
    using target = rawTarget((c) => c.send(rawChunks(SSE, "data: 1\n\n")));
    const { response, sent } = await send(target.url);
    await response.body?.cancel();
    expect(await sent).toBe("cancelled");
    await target.closed(0);
  });

  test("of which 512 are open at once leaves room for other requests", async () => {
    using target = rawTarget((c) => {
      c.send(c.received.includes("/other") ? rawAnswer("{}") : rawChunks(SSE, "data: 1\n\n"));
    });
    const open = await Promise.all(Array.from({ length: 512 }, () => send(target.url)));
    const other = { url: `${target.url}/other`, label: "endpoint e" };
    const { response } = await send(target.url, { target: other, firstByteTimeoutMs: 1000 });
    expect(response.status).toBe(200);
    for (const { response } of open) await response.body?.cancel();
  });

  test("whose client stops reading is given up after the idle time", async () => {
    const flood = rawChunk(`${"x".repeat(65_535)}\n`).repeat(400);
    using target = rawTarget((c) => c.send(rawChunks(SSE) + flood));
    const { url, sent, stop } = proxy(target.url, { idleTimeoutMs: 100 });
    const client = await rawClient(url);
    client.send(REQUEST);
    await client.until("HTTP/1.1 200");
    client.pause();
    expect(await sent).toBe("cancelled");
    await target.closed(0);
    client.reset();
    stop();
  });
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
