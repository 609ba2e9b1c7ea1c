import type { Socket } from "bun";

/**
 * A server that costs next to nothing, to measure what stands in front of it: a raw TCP server that
 * lists the model `m`, answers requests at once, and streams when the body says `"stream":true`.
 * Run as `bun upstream.ts PORT`.
 */

/** Events of one stream, and the time between two of them. */
export const STREAM_EVENTS = 200;
export const STREAM_GAP_MS = 10;

/** The event number `index` of the stream of client `user`; it says when it was sent. */
export function streamEvent(user: number, index: number): string {
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

interface Connection {
  received: string;
}

function answer(json: string): string {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
  return `${head}: ${json.length}\r\n\r\n${json}`;
}

const LIST = answer('{"object":"list","data":[{"id":"m","object":"model"}]}');
const CHAT = answer(COMPLETION);
const STREAM =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

function serve(port: number): void {
  const streams = new Map<Socket<Connection>, { user: number; index: number }>();

  function receive(socket: Socket<Connection>, bytes: Buffer): void {
    const { data } = socket;
    data.received += bytes.toString("latin1");
    const head = data.received.indexOf("\r\n\r\n");
    if (head === -1) return;
    const length = Number(/content-length: *(\d+)/i.exec(data.received)?.[1] ?? 0);
    if (data.received.length < head + 4 + length) return;
    const request = data.received;
    data.received = "";
    if (request.startsWith("GET")) return void socket.write(LIST);
    if (!request.includes('"stream":true')) return void socket.write(CHAT);
    socket.write(STREAM);
    streams.set(socket, { user: Number(/"user":"(\d+)"/.exec(request)?.[1] ?? 0), index: 0 });
  }

  Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        socket.data = { received: "" };
      },
      data: receive,
      close: (socket) => void streams.delete(socket),
      error: () => undefined,
    },
  });
  setInterval(() => {
    for (const [socket, stream] of streams) {
      const event = streamEvent(stream.user, stream.index);
      socket.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      stream.index += 1;
      if (stream.index < STREAM_EVENTS) continue;
      socket.write("0\r\n\r\n");
      streams.delete(socket);
    }
  }, STREAM_GAP_MS);
}

if (import.meta.main) serve(Number(process.argv[2]));
