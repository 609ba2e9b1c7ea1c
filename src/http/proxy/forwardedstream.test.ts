import { describe, expect, test } from "bun:test";
import { proxy, REQUEST, send } from "../../testkit/forwarding.ts";
import {
  RAW_END,
  type RawConnection,
  rawAnswer,
  rawChunk,
  rawChunks,
  rawClient,
  rawTarget,
} from "../../testkit/servers/tcp.ts";

const SSE = "text/event-stream";

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
