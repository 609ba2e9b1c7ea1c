import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Mishap } from "./fault.ts";
import type { HubFile } from "./repo.ts";

export interface TransferOptions {
  request: IncomingMessage;
  response: ServerResponse;
  file: HubFile;
  /** Without quotes. */
  etag: string;
  headers: Record<string, string>;
  mishap: Mishap | undefined;
  /** Asked for each piece. 0: as fast as it goes. */
  bytesPerSecond(): number;
  /** Told of every piece. */
  onSent(bytes: number): void;
}

const PIECE_BYTES = 2 ** 20;
const SLOW_PIECE_BYTES = 2 ** 14;

/** Sends a file or a range of it (RFC 9110, 13.1 and 14), with the mishap if there is one. */
export async function sendFile(options: TransferOptions): Promise<void> {
  const { request, response, file, headers, mishap } = options;
  const etag = `"${mishap !== undefined && "etag" in mishap ? mishap.etag : options.etag}"`;
  const common = { ...headers, etag, "accept-ranges": "bytes" };
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, common).end();
    return;
  }
  const range = rangeOf(request, file.size, etag);
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...common, "content-range": `bytes */${file.size}` }).end();
    return;
  }
  const [from, to] = range ?? [0, file.size];
  response.writeHead(range === undefined ? 200 : 206, {
    ...common,
    "content-length": String(to - from),
    ...(range === undefined ? {} : { "content-range": `bytes ${from}-${to - 1}/${file.size}` }),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await sendBytes(options, from, to);
}

async function sendBytes(options: TransferOptions, from: number, to: number): Promise<void> {
  const { response, file, onSent } = options;
  const mishap: Mishap = options.mishap ?? { delayMs: 0 };
  const cut = "cutAfter" in mishap ? from + mishap.cutAfter : undefined;
  const stall = "stallAfter" in mishap ? from + mishap.stallAfter : undefined;
  const end = Math.min(to, cut ?? to, stall ?? to);
  let dueMs = performance.now();
  for (let at = from; at < end; ) {
    const bytesPerSecond = options.bytesPerSecond();
    const stop = Math.min(end, at + (bytesPerSecond > 0 ? SLOW_PIECE_BYTES : PIECE_BYTES));
    const bytes = new Uint8Array(await file.content.slice(at, stop).arrayBuffer());
    if ("wrongByteAt" in mishap) spoil(bytes, mishap.wrongByteAt - at);
    if (response.destroyed) return;
    const room = response.write(bytes);
    onSent(bytes.byteLength);
    if (!room) await Promise.race([once(response, "drain"), once(response, "close")]);
    if (bytesPerSecond > 0) {
      dueMs += ((stop - at) / bytesPerSecond) * 1000;
      await Bun.sleep(Math.max(0, dueMs - performance.now()));
    }
    at = stop;
  }
  if (cut !== undefined && cut < to) {
    // What was written must be on its way before the connection ends.
    await Bun.sleep(20);
    response.socket?.destroy();
  } else if (stall === undefined || stall >= to) response.end();
}

function spoil(bytes: Uint8Array, at: number): void {
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = byte ^ 1;
}

/** First byte and the byte after the last one; undefined for the whole file. */
function rangeOf({ headers }: IncomingMessage, size: number, etag: string) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? "");
  const condition = headers["if-range"];
  if (match === null || (condition !== undefined && condition !== etag)) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return from >= to ? "unsatisfiable" : ([from, to] as const);
}
