import { describe, expect, test } from "bun:test";
import {
  RAW_END,
  type RawConnection,
  rawChunk,
  rawChunks,
  rawTarget,
} from "../../testkit/servers/tcp.ts";
import type { ApiError } from "../../wire/error.ts";
import { type Exchange, exchange } from "../client/exchange.ts";
import { CONTENT, hasEvent } from "./content.ts";
import { Deadlines } from "./deadlines.ts";
import { type RelayOptions, relay } from "./relay.ts";

const HEAD = rawChunks("text/event-stream");
const caller = { signal: new AbortController().signal };

async function bodyAt(url: string): Promise<Exchange> {
  const body = exchange({ url, method: "GET", headers: {}, body: null, keepAlive: false });
  await body.head;
  return body;
}

describe("a stream that fails before it has content", () => {
  const GOOD = 'data: {"choices":[]}\n\n';

  /** What the client gets when the target does this, and another stream stands by. */
  async function replaced(act: (connection: RawConnection) => void) {
    using target = rawTarget(act);
    using other = rawTarget((c) => c.send(`${HEAD}${rawChunk(GOOD)}0\r\n\r\n`));
    const failures: string[] = [];
    const body = await bodyAt(target.url);
    const { stream, sent } = relay(body, {
      ...{ deadlines: new Deadlines("endpoint a", caller), idleTimeoutMs: 1000 },
      ...CONTENT.events,
      onContent: () => failures.push("none"),
      instead: async (failure, hasBegun) => {
        if (hasBegun) return void failures.push("begun");
        failures.push("status" in failure ? String(failure.status) : "break");
        const deadlines = new Deadlines("endpoint b", caller);
        return relay(await bodyAt(other.url), { deadlines, idleTimeoutMs: 1000 });
      },
      afterBreak: async () => Buffer.from("broken"),
    });
    return { text: await new Response(stream).text(), sent: await sent, failures };
  }

  test.each<[string, string, string, (c: RawConnection) => void]>([
    ["breaks", "", "break", (c) => c.end()],
    ["breaks behind signs of life", ": ping\n\n", "break", (c) => c.end()],
    ["ends", "", "break", (c) => c.send(RAW_END)],
    ["ends with signs of life", ": ping\n\n", "break", (c) => c.send(RAW_END)],
    ["has an error first", "", "429", (c) => c.send(rawChunk('data: {"error":{"code":429}}\n\n'))],
  ])("and %s has another in its place", async (_, before, how, act) => {
    const got = await replaced((c) => {
      c.send(HEAD + (before === "" ? "" : rawChunk(before)));
      act(c);
    });
    expect(got).toEqual({ text: before + GOOD, sent: "complete", failures: [how] });
  });

  test("but once there was any, it is told so and whole lines have gone", async () => {
    const got = await replaced((c) => {
      c.send(HEAD + rawChunk(`${GOOD}data: {"cho`));
      c.end();
    });
    expect(got).toEqual({ text: `${GOOD}broken`, sent: "failed", failures: ["none", "begun"] });
  });
});

/** A body whose pieces a test gives, relayed on a clock that it sets. */
function onFakeClock(more: Partial<RelayOptions> = {}) {
  const clock = { nowMs: 0, add: () => undefined, remove: () => undefined };
  const deadlines = new Deadlines("endpoint a", caller, clock);
  deadlines.waitForContent({ firstMs: 60_000, gapMs: 60_000 });
  let next = Promise.withResolvers<Uint8Array | undefined>();
  let asked = Promise.withResolvers<void>();
  const body = {
    ended: false,
    read: () => {
      asked.resolve();
      return next.promise;
    },
    bytes: () => Promise.reject(new Error("It is not read whole.")),
    abort: (cause: unknown) => next.reject(cause),
  };
  const { stream, sent } = relay(body, {
    deadlines,
    idleTimeoutMs: 10_000,
    hasContent: hasEvent,
    afterBreak: async (cause) => Buffer.from(String((cause as ApiError).kind)),
    ...more,
  });
  const reader = stream.getReader();
  /** What the client gets next when the target sends a piece after so many seconds. */
  const after = async (seconds: number, piece: string) => {
    const read = reader.read();
    await asked.promise;
    for (let i = 0; i < seconds; i += 1) {
      clock.nowMs += 1000;
      deadlines.tick();
    }
    const { resolve } = next;
    if (deadlines.reason === undefined) next = Promise.withResolvers();
    asked = Promise.withResolvers();
    resolve(Buffer.from(piece));
    return Buffer.from((await read).value ?? []).toString();
  };
  /** What the client gets while the target is silent for so many seconds. */
  const silence = async (seconds: number) => {
    let text = "";
    let read = reader.read();
    await asked.promise;
    for (let i = 0; i < seconds; i += 1) {
      clock.nowMs += 1000;
      deadlines.tick();
      const got = await Promise.race([read, Bun.sleep(0)]);
      if (got === undefined) continue;
      text += Buffer.from(got.value ?? []).toString();
      read = reader.read();
    }
    return text;
  };
  return { after, silence, sent };
}

describe("signs of life do not make the wait longer", () => {
  const PROGRESS = 'data: {"prompt_progress":{"total":9,"processed":1}}\n\n';
  const EVENT = 'data: {"choices":[]}\n\n';

  test.each([
    ["for the first event", []],
    ["after progress with the prompt", Array(20).fill(PROGRESS)],
    ["for the next event", Array(20).fill(EVENT)],
  ])("%s", async (_, before: string[]) => {
    const { after, sent } = onFakeClock();
    for (const piece of before) expect(await after(9, piece)).toBe(piece);
    for (let i = 0; i < 6; i += 1) expect(await after(9, ": ping\n\n")).toBe(": ping\n\n");
    expect(await after(9, ": ping\n\n")).toBe("timeout");
    expect(await sent).toBe("failed");
  });

  test("but content that comes in time does", async () => {
    const { after } = onFakeClock();
    for (let i = 0; i < 6; i += 1) await after(9, ": ping\n\n");
    expect(await after(5, EVENT)).toBe(EVENT);
    for (let i = 0; i < 6; i += 1) expect(await after(9, ": ping\n\n")).toBe(": ping\n\n");
  });
});

describe("a client that waits for long gets a sign of life", () => {
  const PING = ": keep-alive\n\n";

  test.each<["events" | "lines", string, string]>([
    ["events", "", PING.repeat(3)],
    ["events", 'data: {"a":1}\n\n', PING.repeat(3)],
    ["events", "data: 1\r\n\r\n", PING.repeat(3)],
    ["events", "event: a\n", ""],
    ["lines", "", "   "],
    ["lines", '{"a":1}\n', "   "],
  ])("%s behind %j", async (type, piece, signs) => {
    const limits = { idleTimeoutMs: 60_000, firstContentMs: 60_000 };
    const { after, silence } = onFakeClock({ ...limits, ...CONTENT[type] });
    if (piece !== "") expect(await after(1, piece)).toBe(piece);
    expect(await silence(46)).toBe(signs);
  });

  test("and nothing before 15 s", async () => {
    const { silence } = onFakeClock({ idleTimeoutMs: 60_000, ...CONTENT.events });
    expect(await silence(14)).toBe("");
  });
});
