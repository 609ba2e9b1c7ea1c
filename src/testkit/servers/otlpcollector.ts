import { gunzipSync } from "node:zlib";

/** A span as a collector understands it. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  /** "" for the first one of a trace. */
  parentSpanId: string;
  traceState: string;
  /** W3C's flags, and whether the parent is of another program (bits 8 and 9). */
  flags: number;
  name: string;
  /** 1 internal, 2 server, 3 client. */
  kind: number;
  startNs: bigint;
  endNs: bigint;
  attributes: Record<string, unknown>;
  events: { name: string; timeNs: bigint }[];
  /** 0 unset, 1 ok, 2 error. */
  statusCode: number;
  statusMessage: string;
  /** Of the program that it is from. */
  resource: Record<string, unknown>;
  scope: string;
}

export interface OtlpCollector extends Disposable {
  url: string;
  spans: CollectedSpan[];
  /** The requests' headers. */
  headers: Headers[];
  paths: string[];
  /** All that came, as it came. */
  raw: Buffer[];
  /** What it answers; may be changed. */
  answer: () => Response | Promise<Response>;
}

/** A collector of traces, which takes them as OTLP over HTTP with Protobuf and nothing else. */
export function otlpCollector(): OtlpCollector {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      collector.headers.push(request.headers);
      collector.paths.push(new URL(request.url).pathname);
      const sent = Buffer.from(await request.arrayBuffer());
      const isZipped = request.headers.get("content-encoding") === "gzip";
      const bytes = isZipped ? gunzipSync(sent) : sent;
      if (request.headers.get("content-type") !== "application/x-protobuf") {
        return new Response("only application/x-protobuf", { status: 415 });
      }
      const answer = await collector.answer();
      if (!answer.ok) return answer;
      collector.raw.push(bytes);
      collector.spans.push(...readRequest(bytes));
      return answer;
    },
  });
  const headers = { "content-type": "application/x-protobuf" };
  const collector: OtlpCollector = {
    url: `http://127.0.0.1:${server.port}`,
    ...{ spans: [], headers: [], paths: [], raw: [] },
    answer: () => new Response(new Uint8Array(), { headers }),
    [Symbol.dispose]: () => void server.stop(true),
  };
  return collector;
}

/** `ExportTraceServiceRequest` of opentelemetry/proto/collector/trace/v1, by its field numbers. */
function readRequest(bytes: Buffer): CollectedSpan[] {
  return new Message(bytes).messages(1).flatMap((resourceSpans) => {
    const resource = attributesOf(resourceSpans.message(1), 1);
    return resourceSpans.messages(2).flatMap((scopeSpans) => {
      const scope = scopeSpans.message(1).text(1);
      return scopeSpans.messages(2).map((span) => ({ ...readSpan(span), resource, scope }));
    });
  });
}

function readSpan(span: Message): Omit<CollectedSpan, "resource" | "scope"> {
  const status = span.message(15);
  return {
    traceId: span.hex(1),
    spanId: span.hex(2),
    traceState: span.text(3),
    parentSpanId: span.hex(4),
    name: span.text(5),
    kind: Number(span.number(6)),
    startNs: span.number(7),
    endNs: span.number(8),
    attributes: attributesOf(span, 9),
    events: span.messages(11).map((one) => ({ timeNs: one.number(1), name: one.text(2) })),
    statusMessage: status.text(2),
    statusCode: Number(status.number(3)),
    flags: Number(span.number(16)),
  };
}

function attributesOf(message: Message, field: number): Record<string, unknown> {
  return Object.fromEntries(
    message.messages(field).map((pair) => [pair.text(1), anyValueOf(pair.message(2))]),
  );
}

/** `AnyValue`: a text, a truth value, a whole number or another one. */
function anyValueOf(value: Message): unknown {
  if (value.has(1)) return value.text(1);
  if (value.has(2)) return value.number(2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, value.number(3)));
  return value.has(4) ? value.double(4) : undefined;
}

/** A message in Protobuf's wire format. Throws at bytes that are none. */
class Message {
  readonly #fields = new Map<number, (bigint | Buffer)[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const varint = () => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at];
        if (byte === undefined || shift > 63n) throw new Error("no varint");
        at += 1;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    const piece = (length: number) => {
      if (at + length > bytes.length) throw new Error("a field ends too late");
      at += length;
      return bytes.subarray(at - length, at);
    };
    while (at < bytes.length) {
      const key = Number(varint());
      const kind = key & 7;
      const field = this.#fields.get(key >> 3) ?? [];
      this.#fields.set(key >> 3, field);
      if (kind === 0) field.push(varint());
      else if (kind === 1) field.push(piece(8));
      else if (kind === 2) field.push(piece(Number(varint())));
      else if (kind === 5) field.push(piece(4));
      else throw new Error(`no wire type: ${kind}`);
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  messages(field: number): Message[] {
    return (this.#fields.get(field) ?? []).map((value) => new Message(value as Buffer));
  }

  message(field: number): Message {
    return this.messages(field)[0] ?? new Message(Buffer.alloc(0));
  }

  text(field: number): string {
    return this.#bytes(field).toString("utf8");
  }

  hex(field: number): string {
    return this.#bytes(field).toString("hex");
  }

  /** A varint, or an integer of 32 or 64 bits. */
  number(field: number): bigint {
    const value = this.#fields.get(field)?.at(-1) ?? 0n;
    if (typeof value === "bigint") return value;
    return value.length === 4 ? BigInt(value.readUInt32LE()) : value.readBigUInt64LE();
  }

  double(field: number): number {
    return this.#bytes(field).readDoubleLE();
  }

  #bytes(field: number): Buffer {
    return (this.#fields.get(field)?.at(-1) as Buffer | undefined) ?? Buffer.alloc(0);
  }
}
