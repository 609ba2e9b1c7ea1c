import type { Tap } from "./relay.ts";

const NUMBER = '"sequence_number":';

/** Reads the `sequence_number` of the events of a Responses stream as they pass. */
export class EventNumbers implements Tap {
  readonly #tap: Tap | undefined;
  /** The number of the next event. */
  next = 0;

  constructor(tap: Tap | undefined) {
    this.#tap = tap;
  }

  push(bytes: Uint8Array): void {
    this.#tap?.push(bytes);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = text.lastIndexOf(NUMBER);
    if (at === -1) return;
    const start = at + NUMBER.length;
    const number = Number.parseInt(text.toString("latin1", start, start + 12), 10);
    if (number >= this.next) this.next = number + 1;
  }
}
