import type { Socket } from "bun";

/** What is kept of a connection: what came of its next request, and what was not taken yet. */
export interface Connection {
  received: string;
  unsent: string;
}

/** A new connection's state. */
export function connection(): Connection {
  return { received: "", unsent: "" };
}

/** The next request of a connection with its body, once it is complete; one at a time. */
export function readRequest({ data }: Socket<Connection>, bytes: Buffer): string | undefined {
  data.received += bytes.toString("latin1");
  const head = data.received.indexOf("\r\n\r\n");
  if (head === -1) return undefined;
  const length = Number(/content-length: *(\d+)/i.exec(data.received)?.[1] ?? 0);
  if (data.received.length < head + 4 + length) return undefined;
  const request = data.received;
  data.received = "";
  return request;
}

/** Sends a text of one-byte characters; what the system does not take waits for `drain`. */
export function send(socket: Socket<Connection>, text: string): void {
  const { data } = socket;
  const all = data.unsent + text;
  if (all === "") return;
  data.unsent = all.slice(Math.max(0, socket.write(all)));
}

/** An answer of JSON as it is written. */
export function jsonAnswer(json: string): string {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
  return `${head}: ${json.length}\r\n\r\n${json}`;
}
