import type { ServerWebSocket, WebSocketHandler } from "bun";
import { ApiError } from "../../wire/error.ts";
import { MESSAGE_BYTES_MAX, type MessageSink } from "../messagesocket.ts";
import type { Scope } from "./scope.ts";

/** A connection of which nothing is heard for so long is closed; Bun sends pings before. */
const IDLE_TIMEOUT_S = 30;

/** Who is sent more than it takes is cut off; senders have smaller bounds of their own. */
const UNSENT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Makes a WebSocket of a request's connection, once everything was checked that is to be: whatever
 * comes over it goes to `sink`. Returns the answer. Throws 400 for a request that asks for none.
 */
export function upgradeToWebSocket(c: Scope, sink: MessageSink): Response {
  if (c.env?.server?.upgrade(c.req.raw, { data: sink }) === true) {
    // Bun has sent the real one.
    return new Response(null, { status: 101 });
  }
  const message = "The request is invalid: this path speaks WebSocket (RFC 6455).";
  throw new ApiError("invalid_request", message, { code: "websocket_expected" });
}

/** What `Bun.serve` does with the WebSockets of all servers: their sinks do it. */
export const WEBSOCKET_HANDLERS: WebSocketHandler<MessageSink> = {
  idleTimeout: IDLE_TIMEOUT_S,
  maxPayloadLength: MESSAGE_BYTES_MAX,
  backpressureLimit: UNSENT_BYTES_MAX,
  closeOnBackpressureLimit: true,
  open: (socket) => socket.data.onOpen(messageSocketOf(socket)),
  message: (socket, message) => socket.data.onMessage(message),
  close: (socket, _, reason) => socket.data.onClose(reason),
};

function messageSocketOf(socket: ServerWebSocket<MessageSink>) {
  return {
    send: (message: Uint8Array | string) => void socket.send(message),
    close: (reason: string) => socket.close(INTERNAL, reason.slice(0, REASON_CHARS_MAX)),
  };
}

/** Status of a close that is not the other side's fault (RFC 6455, 7.4.1). */
const INTERNAL = 1011;
const REASON_CHARS_MAX = 120;
