import type { MessageSocket } from "../../http/messagesocket.ts";
import { Channel } from "./channel.ts";

const KIND = { open: 1, data: 2, ack: 3, end: 4 } as const;

/** Kind, and number of the channel. */
const HEAD_BYTES = 5;

/** Connections at the same time: llama.cpp has one, and another while that closes. */
const CHANNELS_MAX = 8;

export interface WorkerTunnelOptions {
  socket: MessageSocket;
  /** Connects a channel that the other side has opened. Default: it may open none. */
  connect?(channel: Channel): void;
}

/**
 * Carries local connections over one socket of messages, to the other end's local connections. A
 * message is the kind (1 byte), the channel's number (4 bytes, big endian), and then
 *
 * | kind | sent by  | means                              | followed by      |
 * |------|----------|------------------------------------|------------------|
 * | open | the head | a connection was made here         |                  |
 * | data | both     | bytes of it                        | the bytes        |
 * | ack  | both     | bytes were taken, so more may come | how many (4)     |
 * | end  | both     | it is closed here                  |                  |
 */
export class Tunnel {
  readonly #options: WorkerTunnelOptions;
  readonly #channels = new Map<number, Channel>();
  #lastNumber = 0;
  #bytes = 0;

  constructor(options: WorkerTunnelOptions) {
    this.#options = options;
  }

  /** Bytes that went through it, both ways. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A channel for a connection that was made here; undefined: there are too many. */
  open(): Channel | undefined {
    if (this.#channels.size >= CHANNELS_MAX) return undefined;
    this.#lastNumber += 1;
    this.#send(KIND.open, this.#lastNumber);
    return this.#add(this.#lastNumber);
  }

  /** Takes a message of the other side. Throws for one that makes no sense. */
  receive(message: Buffer): void {
    if (message.byteLength < HEAD_BYTES) throw new Error("a message of the tunnel is too short");
    const [kind] = message;
    const number = message.readUInt32BE(1);
    const channel = this.#channels.get(number);
    if (kind === KIND.open) this.#accept(number);
    else if (kind === KIND.data) {
      this.#bytes += message.byteLength - HEAD_BYTES;
      // What was on its way when the channel closed here is for nobody.
      channel?.write(message.subarray(HEAD_BYTES));
    } else if (kind === KIND.ack && message.byteLength === HEAD_BYTES + 4) {
      channel?.acknowledge(message.readUInt32BE(HEAD_BYTES));
    } else if (kind === KIND.end) channel?.finish();
    else throw new Error("a message of the tunnel is of no known kind");
  }

  /** Closes all its channels. */
  close(): void {
    for (const channel of this.#channels.values()) channel.destroy();
    this.#channels.clear();
  }

  #accept(number: number): void {
    const { connect } = this.#options;
    if (connect === undefined || this.#channels.has(number)) {
      throw new Error("the other side opened a channel that it may not open");
    }
    if (this.#channels.size >= CHANNELS_MAX) throw new Error("too many channels are open");
    connect(this.#add(number));
  }

  #add(number: number): Channel {
    const channel = new Channel({
      data: (bytes) => {
        this.#bytes += bytes.byteLength;
        this.#send(KIND.data, number, bytes);
      },
      ack: (bytes) => {
        const count = Buffer.alloc(4);
        count.writeUInt32BE(bytes);
        this.#send(KIND.ack, number, count);
      },
      end: () => {
        this.#channels.delete(number);
        this.#send(KIND.end, number);
      },
    });
    this.#channels.set(number, channel);
    return channel;
  }

  #send(kind: number, number: number, payload?: Uint8Array): void {
    const message = Buffer.alloc(HEAD_BYTES + (payload?.byteLength ?? 0));
    message[0] = kind;
    message.writeUInt32BE(number, 1);
    if (payload !== undefined) message.set(payload, HEAD_BYTES);
    this.#options.socket.send(message);
  }
}
