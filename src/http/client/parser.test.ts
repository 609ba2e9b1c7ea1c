import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ClientError } from "./failure.ts";
import type { ResponseHead } from "./head.ts";
import { ResponseParser } from "./parser.ts";

interface Parsed {
  head?: ResponseHead;
  body: Buffer;
  /** It ended by itself, by the connection's end, or not in order. */
  end: "framed" | "closed" | "refused" | "cut";
  reusable: boolean;
}

/** What comes of an answer that arrives in these pieces, after which the connection ends. */
function parse(pieces: Uint8Array[], toHead = false): Parsed {
  const bodies: Buffer[] = [];
  let head: ResponseHead | undefined;
  let ends = 0;
  const sink = {
    onHead: (value: ResponseHead) => {
      head = value;
    },
    onBody: (bytes: Uint8Array) => void bodies.push(Buffer.from(bytes)),
    onEnd: () => {
      ends += 1;
    },
  };
  const parser = new ResponseParser(sink, toHead);
  let end: Parsed["end"] = "refused";
  try {
    for (const piece of pieces) parser.feed(Buffer.from(piece));
    end = parser.ended ? "framed" : "cut";
    parser.close();
    if (end === "cut") end = "closed";
  } catch (error) {
    expect(error).toBeInstanceOf(ClientError);
  }
  expect(ends).toBe(parser.ended ? 1 : 0);
  const { reusable } = parser;
  return { ...(head && { head }), body: Buffer.concat(bodies), end, reusable };
}

const text = (value: string) => parse([Buffer.from(value, "latin1")]);

function cut(bytes: Buffer, places: number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort(
    (a, b) => a - b,
  );
  return [0, ...ends].map((start, i) => bytes.subarray(start, ends[i] ?? bytes.length));
}

const chunk = fc.tuple(
  fc.uint8Array({ minLength: 1, maxLength: 300 }),
  fc.constantFrom("", ";a=b", ' ; x="y z"', "\t"),
);
const places = fc.array(fc.nat(5000), { maxLength: 60 });

function chunked(chunks: [Uint8Array, string][], trailers: string): Buffer {
  const pieces = chunks.flatMap(([data, extension]) => [
    Buffer.from(`${data.length.toString(16)}${extension}\r\n`),
    data,
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`0\r\n${trailers}\r\n`)]);
}

describe("an answer gives the same however it is cut", () => {
  test("in chunks, with extensions and trailers", () => {
    const trailers = fc.constantFrom("", "a: b\r\n", "a: b\r\nc: d\r\n");
    const interim = fc.constantFrom("", "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n");
    fc.assert(
      fc.property(fc.array(chunk), trailers, interim, places, (chunks, last, before, at) => {
        const start = `${before}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A:  1 \r\n\r\n`;
        const parsed = parse(cut(Buffer.concat([Buffer.from(start), chunked(chunks, last)]), at));
        expect(parsed).toMatchObject({ end: "framed", reusable: true });
        expect(parsed.body).toEqual(Buffer.concat(chunks.map(([data]) => data)));
        expect(parsed.head?.headers).toEqual(["transfer-encoding", "chunked", "x-a", "1"]);
      }),
    );
  });

  test("with a length, and up to the connection's end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), places, fc.boolean(), (body, at, known) => {
        const head = `HTTP/1.1 200\r\n${known ? `content-length: ${body.length}\r\n` : ""}\r\n`;
        const parsed = parse(cut(Buffer.concat([Buffer.from(head), body]), at));
        expect(parsed.end).toBe(known ? "framed" : "closed");
        expect(parsed.reusable).toBe(known);
        expect(parsed.body).toEqual(Buffer.from(body));
      }),
    );
  });

  test("damaged in one byte: accepted or refused, but always alike", () => {
    const whole = Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"),
      chunked([[Buffer.from("hello"), ";x"] as [Uint8Array, string]], "t: v\r\n"),
    ]);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), places, (at, byte, pieces) => {
        const damaged = Buffer.from(whole);
        damaged[at] = byte;
        const [once, split] = [parse([damaged]), parse(cut(damaged, pieces))];
        expect(split.end).toBe(once.end);
        expect(split.reusable).toBe(once.reusable);
        if (once.end !== "refused" && once.end !== "cut") expect(split.body).toEqual(once.body);
      }),
      { numRuns: 500 },
    );
  });
});

describe("an answer is refused", () => {
  test.each([
    ["garbage", "hello\r\n\r\n"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a status of 600", "HTTP/1.1 600 OK\r\n\r\n"],
    ["another protocol", "HTTP/2.0 200 OK\r\n\r\n"],
    ["a change of protocol", "HTTP/1.1 101 Switching\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc"],
    ["one length twice", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nab"],
    ["a list of lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nab"],
    ["a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
    ["a length with a sign", "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na"],
    ["an endless length", `HTTP/1.1 200 OK\r\ncontent-length: ${"9".repeat(16)}\r\n\r\n`],
    [
      "length and chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
    ["another coding", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n"],
    ["no coding", "HTTP/1.1 200 OK\r\ntransfer-encoding:\r\n\r\n"],
    ["chunked twice", `HTTP/1.1 200 OK\r\n${"transfer-encoding: chunked\r\n".repeat(2)}\r\n`],
    ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n"],
    ["a space before the colon", "HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nab"],
    ["a header without a colon", "HTTP/1.1 200 OK\r\nabc\r\n\r\n"],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: abc\r\n\r\n"],
    ["a bare line feed", "HTTP/1.1 200 OK\r\na: b\ncontent-length: 2\r\n\r\nab"],
    ["a bare carriage return", "HTTP/1.1 200 OK\r\na: b\rc: d\r\n\r\n"],
    ["a zero", "HTTP/1.1 200 OK\r\na: b\0\r\n\r\n"],
    ["too many headers", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(201)}\r\n`],
    ["too long headers", `HTTP/1.1 200 OK\r\na: ${"b".repeat(70_000)}\r\n\r\n`],
    ["endless headers", `HTTP/1.1 200 OK\r\na: ${"b".repeat(70_000)}`],
    ["endless interim answers", "HTTP/1.1 100 Continue\r\n\r\n".repeat(4000)],
  ])("with %s", (_, answer) => {
    expect(text(answer).end).toBe("refused");
  });

  test.each([
    "\r\n",
    "g\r\n",
    "-1\r\n",
    "5\n",
    "1".repeat(13),
    `1;${"x".repeat(5000)}`,
    "1\r\nab\r\n",
  ])("with a chunk %j", (chunks) => {
    expect(text(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`).end).not.toBe(
      "framed",
    );
  });

  test("with endless trailers", () => {
    const trailers = "a: b\r\n".repeat(5000);
    const answer = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${trailers}`;
    expect(text(answer).end).toBe("refused");
  });
});

describe("an answer", () => {
  test.each([
    ["to HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", true],
    ["of 204", "HTTP/1.1 204 No Content\r\n\r\n", false],
    ["of 304", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", false],
  ])("%s has no body", (_, answer, toHead) => {
    const parsed = parse([Buffer.from(answer)], toHead);
    expect(parsed).toMatchObject({ end: "framed", reusable: true });
  });

  test.each([
    ["connection: close", "HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n"],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"],
    [
      "connection: close before keep-alive",
      "HTTP/1.1 200 OK\r\nconnection: close\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
    ],
    ["bytes behind it", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"],
    ["bytes behind an empty one", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1"],
    ["bytes behind its chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nx"],
  ])("with %s ends its connection", (_, answer) => {
    expect(text(answer)).toMatchObject({ end: "framed", reusable: false });
  });

  test("of HTTP/1.0 that keeps the connection leaves it open", () => {
    const answer = "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n";
    expect(text(answer).reusable).toBe(true);
  });

  test.each(["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", ""])(
    "that is cut after %j is not complete",
    (answer) => {
      expect(text(answer).end).toBe("cut");
    },
  );
});
