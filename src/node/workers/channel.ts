import type { Socket, SocketHandler } from "bun";

/** How many bytes of a channel may be on their way, before the other side has taken some. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** What was taken is acknowledged in steps of this. */
const ACK_BYTES = WINDOW_BYTES / 8;

/** A sender learns late that the window is full: with the last piece that it has read. */
const UNSENT_BYTES_MAX = 2 * WINDOW_BYTES;

/** Largest piece that goes as one message. */
const PIECE_BYTES_MAX = 256 * 1024;

/** What a channel does with what comes from its socket. */
export interface ChannelPeer {
  data(bytes: Uint8Array): void;
  /** That many bytes were taken, so that as many may come. */
  ack(bytes: number): void;
  /** The socket is closed. */
  end(): void;
}

/**
 * One local connection, whose other end is a channel of a tunnel. Neither side holds more than
 * `WINDOW_BYTES` of what the other has not taken: then its socket is not read any more.
 */
export class Channel {
  readonly #peer: ChannelPeer;
  #socket: Socket<Channel> | undefined;
  /** Bytes for the socket that it has not accepted yet. */
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #credit = WINDOW_BYTES;
  #unacknowledged = 0;
  /** No more will come for the socket, which closes once it has accepted all. */
  #isEnding = false;
  #isClosed = false;

  constructor(peer: ChannelPeer) {
    this.#peer = peer;
  }

  /** The socket is connected. */
  attach(socket: Socket<Channel>): void {
    if (this.#isClosed) return void socket.terminate();
    this.#socket = socket;
    this.#flush();
  }

  /** Bytes for the socket. Throws if the other side sends more than it may. */
  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#unsentBytes += bytes.byteLength;
    if (this.#unsentBytes > UNSENT_BYTES_MAX) throw new Error("a channel sends more than it may");
    this.#unsent.push(bytes);
    this.#flush();
  }

  /** The other side has taken so many bytes. */
  acknowledge(bytes: number): void {
    const wasFull = this.#credit <= 0;
    this.#credit += bytes;
    if (wasFull && this.#credit > 0) this.#socket?.resume();
  }

  /** The other side is closed. */
  finish(): void {
    this.#isEnding = true;
    this.#flush();
  }

  /** Closes the socket at once; its other side is not told. Idempotent. */
  destroy(): void {
    this.#isClosed = true;
    this.#unsent = [];
    this.#socket?.terminate();
  }

  onData(bytes: Buffer): void {
    for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES_MAX) {
      this.#peer.data(bytes.subarray(at, at + PIECE_BYTES_MAX));
    }
    this.#credit -= bytes.byteLength;
    if (this.#credit <= 0) this.#socket?.pause();
  }

  onDrain(): void {
    this.#flush();
  }

  onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsent = [];
    this.#peer.end();
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    for (let piece = this.#unsent[0]; piece !== undefined; piece = this.#unsent[0]) {
      // A negative count means closed, which `onClose` handles.
      const count = Math.max(0, socket.write(piece));
      this.#taken(count);
      if (count < piece.byteLength) {
        this.#unsent[0] = piece.subarray(count);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#isEnding) socket.end();
  }

  #taken(bytes: number): void {
    this.#unsentBytes -= bytes;
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < ACK_BYTES) return;
    this.#peer.ack(this.#unacknowledged);
    this.#unacknowledged = 0;
  }
}

/** The handlers of all local sockets that are ends of channels. */
export const CHANNEL_HANDLERS: SocketHandler<Channel> = {
  data: (socket, bytes) => socket.data.onData(bytes),
  drain: (socket) => socket.data.onDrain(),
  close: (socket) => socket.data.onClose(),
  error: () => undefined,
};
