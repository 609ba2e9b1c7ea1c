import type { Socket } from "bun";
import { type Connection, connection, jsonAnswer, readRequest, send } from "./reader.ts";

/**
 * A server that costs next to nothing, to measure what stands in front of it: a raw TCP server that
 * lists the model `m`, answers requests at once, and streams when the body says `"stream":true`.
 * Run as `bun upstream.ts PORT [MS_BETWEEN_EVENTS]`.
 */

/** Events of one stream. */
export const STREAM_EVENTS = 200;
/** Ends each stream. */
export const STREAM_END = "data: [DONE]";
/** Time between two of them, unless told otherwise. */
const GAP_MS_DEFAULT = 10;

/** The event number `index` of the stream of client `user`; it says when it was sent. */
function streamEvent(user: number, index: number): string {
  const text = "token ".repeat(1 + ((user + index) % 12));
  return `data: ${JSON.stringify({ user, index, sent_at: now(), text })}\n\n`;
}

/** Milliseconds by a clock that all processes of this machine share. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

const COMPLETION = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [
    { index: 0, message: { role: "assistant", content: "hello there" }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

const LIST = jsonAnswer('{"object":"list","data":[{"id":"m","object":"model"}]}');
const CHAT = jsonAnswer(COMPLETION);
const STREAM =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

function serve(port: number, gapMs: number): void {
  const streams = new Map<Socket<Connection>, { user: number; index: number }>();

  function receive(socket: Socket<Connection>, bytes: Buffer): void {
    const request = readRequest(socket, bytes);
    if (request === undefined) return;
    if (request.startsWith("GET")) send(socket, LIST);
    else if (!request.includes('"stream":true')) send(socket, CHAT);
    else {
      send(socket, STREAM);
      streams.set(socket, { user: Number(/"user":"(\d+)"/.exec(request)?.[1] ?? 0), index: 0 });
    }
  }

  Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        socket.data = connection();
      },
      data: receive,
      drain: (socket) => send(socket, ""),
      close: (socket) => void streams.delete(socket),
      error: () => undefined,
    },
  });
  setInterval(() => {
    for (const [socket, stream] of streams) {
      send(socket, chunk(streamEvent(stream.user, stream.index)));
      stream.index += 1;
      if (stream.index < STREAM_EVENTS) continue;
      send(socket, `${chunk(`${STREAM_END}\n\n`)}0\r\n\r\n`);
      streams.delete(socket);
    }
  }, gapMs);
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

if (import.meta.main) {
  const [port = 0, gapMs = GAP_MS_DEFAULT] = process.argv.slice(2).map(Number);
  serve(port, gapMs);
}
