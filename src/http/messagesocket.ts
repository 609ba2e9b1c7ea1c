/** A connection over which whole messages go both ways (a WebSocket, RFC 6455). */
export interface MessageSocket {
  /** Bytes go as one binary message, a string as one of text. Does nothing once it is closed. */
  send(message: Uint8Array | string): void;
  /** Closes it and tells the other side why, in at most 120 bytes. Idempotent. */
  close(reason: string): void;
}

/** Receives what comes over a `MessageSocket`. */
export interface MessageSink {
  onOpen(socket: MessageSocket): void;
  onMessage(message: Buffer | string): void;
  /** It is closed, by whomever: why, as far as that is known. Called once. */
  onClose(reason: string): void;
}

/** Longest message that either side takes. */
export const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;
