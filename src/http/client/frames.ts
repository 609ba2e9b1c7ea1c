import { MESSAGE_BYTES_MAX } from "../messagesocket.ts";
import { ClientError } from "./failure.ts";

/** The kinds of frames (RFC 6455, 11.8). */
export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

const OPCODES: ReadonlySet<number> = new Set(Object.values(OPCODE));
const FINAL = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;
/** Lengths from here on follow the second byte, in 2 bytes, or in 8. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * One frame of a client. It is masked as the standard wants, with a mask of zeros: masks are to
 * keep scripts of pages from writing bytes of their choice to a proxy, and no page writes these.
 */
export function clientFrame(opcode: Opcode, payload: Uint8Array): Uint8Array {
  const size = payload.byteLength;
  const extra = size < LENGTH_16 ? 0 : size <= 0xffff ? 2 : 8;
  const start = 2 + extra + MASK_BYTES;
  const frame = new Uint8Array(start + size);
  const view = new DataView(frame.buffer);
  frame[0] = FINAL | opcode;
  frame[1] = MASKED | (extra === 0 ? size : extra === 2 ? LENGTH_16 : LENGTH_64);
  if (extra === 2) view.setUint16(2, size);
  else if (extra === 8) view.setBigUint64(2, BigInt(size));
  frame.set(payload, start);
  return frame;
}

/** Cuts what a server sends into frames. */
export class FrameReader {
  readonly #onFrame: (opcode: Opcode, payload: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);
  /** Pieces behind `#rest`, which are joined once the frame is complete. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Bytes that the next frame needs, as far as that is known. */
  #needed = 2;

  constructor(onFrame: (opcode: Opcode, payload: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws `ClientError` for what is no frame of a server, or too long. */
  feed(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#bytes += bytes.byteLength;
    if (this.#rest.byteLength + this.#bytes < this.#needed) return;
    this.#rest = Buffer.concat([this.#rest, ...this.#pieces]);
    this.#pieces = [];
    this.#bytes = 0;
    while (this.#takeFrame());
  }

  #takeFrame(): boolean {
    const all = this.#rest;
    const [first = 0, second = 0] = all;
    this.#needed = 2;
    if (all.byteLength < this.#needed) return false;
    const opcode = first & 0x0f;
    // Our peers send every message whole, and without extensions.
    if ((first & 0xf0) !== FINAL || !OPCODES.has(opcode) || second >= MASKED) throw malformed();
    const extra = second < LENGTH_16 ? 0 : second === LENGTH_16 ? 2 : 8;
    this.#needed = 2 + extra;
    if (all.byteLength < this.#needed) return false;
    const size =
      extra === 0 ? second : extra === 2 ? all.readUInt16BE(2) : Number(all.readBigUInt64BE(2));
    if (size > MESSAGE_BYTES_MAX) throw malformed();
    this.#needed += size;
    if (all.byteLength < this.#needed) return false;
    this.#rest = all.subarray(this.#needed);
    this.#onFrame(opcode as Opcode, all.subarray(2 + extra, this.#needed));
    return true;
  }
}

function malformed(): ClientError {
  return new ClientError("malformed", "The server sent what is no frame of a WebSocket.");
}
