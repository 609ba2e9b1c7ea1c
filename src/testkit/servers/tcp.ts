import type { Socket } from "bun";

/** Stand-ins for tests: targets that misbehave below HTTP, and clients that do. */

/** One connection that a raw target got. */
export interface RawConnection {
  /** How many connections came before. */
  index: number;
  /** How many requests came on this connection before. */
  request: number;
  /** What was received, as text. */
  received: string;
  send(text: string): void;
  /** Ends the connection, as a process that exits does. */
  end(): void;
  /** Resets the connection, as a process that is killed may. */
  reset(): void;
}

export interface RawTarget extends Disposable {
  url: string;
  /** Settles when the connection with this index is closed. */
  closed(index: number): Promise<void>;
}

interface State {
  index: number;
  requests: number;
  /** What the client has not taken yet. */
  unsent: Buffer;
}

function flush(socket: Socket<State>): void {
  const count = socket.write(socket.data.unsent);
  socket.data.unsent = socket.data.unsent.subarray(Math.max(0, count));
}

/** A TCP server on a free port; `answer` is called for each piece that a client sends. */
export function rawTarget(answer: (connection: RawConnection) => void): RawTarget {
  const closings: PromiseWithResolvers<void>[] = [];
  const closing = (index: number) => {
    closings[index] ??= Promise.withResolvers<void>();
    return closings[index];
  };
  let connections = 0;
  const server = Bun.listen<State>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { index: connections, requests: 0, unsent: Buffer.alloc(0) };
        connections += 1;
      },
      data(socket, bytes) {
        answer({
          index: socket.data.index,
          request: socket.data.requests,
          received: bytes.toString(),
          send: (text) => {
            socket.data.unsent = Buffer.concat([socket.data.unsent, Buffer.from(text)]);
            flush(socket);
          },
          end: () => void socket.end(),
          reset: () => void socket.terminate(),
        });
        socket.data.requests += 1;
      },
      drain: flush,
      close: (socket) => closing(socket.data.index).resolve(),
      error: () => undefined,
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    closed: (index) => closing(index).promise,
    [Symbol.dispose]: () => server.stop(true),
  };
}

/** A whole HTTP response with a length. */
export function rawAnswer(body: string, type = "application/json", status = "200 OK"): string {
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

/** The beginning of a chunked response: its headers and one chunk for each piece. */
export function rawChunks(type: string, ...pieces: string[]): string {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`;
  return head + pieces.map(rawChunk).join("");
}

/** One chunk of a chunked response. */
export function rawChunk(piece: string): string {
  return `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`;
}

/** The end of a chunked response. */
export const RAW_END = "0\r\n\r\n";

/** A TCP client. */
export interface RawClient {
  send(text: string): void;
  /** Settles with all that was received once that contains `text` or the connection is closed. */
  until(text: string): Promise<string>;
  /** Stops reading: the other side's writes will stall. */
  pause(): void;
  reset(): void;
  /** Settles with all that was received when the connection is closed. */
  readonly closed: Promise<string>;
}

/** Connects to the server at `url`. */
export async function rawClient(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const closed = Promise.withResolvers<string>();
  let received = "";
  let wake = Promise.withResolvers<void>();
  let open = true;
  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_, bytes) {
        received += bytes.toString();
        wake.resolve();
      },
      close() {
        open = false;
        closed.resolve(received);
        wake.resolve();
      },
      error: () => undefined,
    },
  });
  return {
    send: (text) => void socket.write(text),
    async until(text) {
      while (open && !received.includes(text)) {
        await wake.promise;
        wake = Promise.withResolvers();
      }
      return received;
    },
    pause: () => void socket.pause(),
    reset: () => void socket.terminate(),
    closed: closed.promise,
  };
}
