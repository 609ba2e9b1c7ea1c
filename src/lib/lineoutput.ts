import { write } from "node:fs";
import { Waiters } from "./waiters.ts";

/** Where lines go. Its file descriptor may change between two writes. */
export interface LineTarget {
  /** The descriptor to write to; undefined if there is none now: the lines are dropped. */
  descriptor(): number | undefined;
  /** Called after so many bytes were written. */
  wrote?(bytes: number): void;
}

/** More than this waits for nobody: a reader that has stopped must not fill the memory. */
const WAITING_BYTES_MAX = 2 ** 20;
/** Most bytes in one write, but for a line that is longer. */
const BATCH_BYTES_MAX = 2 ** 16;
/** Most bytes of UTF-8 that a unit of a string takes. */
const UNIT_BYTES_MAX = 3;
/** How long the end of the process waits for the last lines. */
const LAST_WRITE_MS = 100;
const BUSY_RETRY_MS = 50;
/** How long lines gather after a write: another one costs more than all else about a line. */
const GATHER_MS = 20;

/**
 * Writes lines in the background, in order: a full pipe, a terminal that stands still, a slow or a
 * full disk never hold up or end the process. Lines that find no room are dropped; how many is told
 * in a line of its own as soon as others can be written.
 */
export class LineOutput {
  readonly #target: LineTarget;
  readonly #describeLoss: (dropped: number) => string;
  /** Lines gather here as bytes: to keep strings and join them later would cost each much more. */
  readonly #gathered = Buffer.allocUnsafeSlow(BATCH_BYTES_MAX);
  #gatheredBytes = 0;
  /** What waits before them, oldest first. */
  #full: Buffer[] = [];
  #fullBytes = 0;
  #isWriting = false;
  /** Runs while lines gather. */
  #gathering: Timer | undefined;
  #dropped = 0;
  readonly #idle = new Waiters();

  constructor(target: LineTarget, describeLoss: (dropped: number) => string) {
    this.#target = target;
    this.#describeLoss = describeLoss;
    process.on("exit", () => this.#writeLast());
  }

  /** Takes one or more whole lines. */
  write(text: string): void {
    if (!this.#put(text)) {
      this.#dropped += 1;
      return;
    }
    if (!this.#isWriting && this.#gathering === undefined) this.#writeNext();
  }

  /** Resolves when everything is written, or after `waitMs`. */
  async idle(waitMs: number): Promise<void> {
    const isDue = this.#gathering !== undefined && this.#isWaiting;
    if (this.#isWriting || isDue) await this.#idle.wait({ timeoutMs: waitMs });
  }

  get #isWaiting(): boolean {
    return this.#gatheredBytes > 0 || this.#full.length > 0;
  }

  /** False: there is no room. */
  #put(text: string): boolean {
    const bytesMax = text.length * UNIT_BYTES_MAX;
    if (this.#gatheredBytes + bytesMax > BATCH_BYTES_MAX) {
      if (this.#fullBytes + this.#gatheredBytes + text.length > WAITING_BYTES_MAX) return false;
      this.#putAside();
      if (bytesMax > BATCH_BYTES_MAX) {
        this.#append(Buffer.from(text));
        return true;
      }
    }
    this.#gatheredBytes += this.#gathered.write(text, this.#gatheredBytes);
    return true;
  }

  /** Makes room for lines to gather. */
  #putAside(): void {
    if (this.#gatheredBytes === 0) return;
    this.#append(Buffer.from(this.#gathered.subarray(0, this.#gatheredBytes)));
    this.#gatheredBytes = 0;
  }

  #append(bytes: Buffer): void {
    this.#full.push(bytes);
    this.#fullBytes += bytes.length;
  }

  #writeNext(): void {
    if (this.#full.length === 0) this.#putAside();
    const batch = this.#take(1);
    this.#isWriting = batch.length > 0;
    if (this.#isWriting) this.#send(batch);
  }

  #rest(): void {
    this.#isWriting = false;
    if (!this.#isWaiting) this.#idle.wakeAll();
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#writeNext();
    }, GATHER_MS);
    this.#gathering.unref();
  }

  #send(bytes: Buffer): void {
    const descriptor = this.#target.descriptor();
    if (descriptor === undefined) {
      this.#lose(bytes);
      return;
    }
    write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.#send(bytes), BUSY_RETRY_MS).unref();
      } else if (error !== null) {
        this.#lose(bytes); // Nobody reads it any more, or the disk is full.
      } else {
        this.#target.wrote?.(written);
        if (written < bytes.length) this.#send(bytes.subarray(written));
        else if (this.#full.length > 0) this.#writeNext();
        else this.#rest();
      }
    });
  }

  #lose(bytes: Buffer): void {
    this.#dropped += bytes.reduce((lines, byte) => (byte === 10 ? lines + 1 : lines), 0);
    this.#isWriting = false;
    this.#idle.wakeAll();
    // Those behind it get their own try with the next line: this one must not become a loop.
  }

  /** So many of what waits, with a line about what was lost. */
  #take(count: number): Buffer {
    const taken = this.#full.splice(0, count);
    for (const { length } of taken) this.#fullBytes -= length;
    if (taken.length > 0 && this.#dropped > 0) {
      taken.unshift(Buffer.from(this.#describeLoss(this.#dropped)));
      this.#dropped = 0;
    }
    const [first] = taken;
    return taken.length === 1 && first !== undefined ? first : Buffer.concat(taken);
  }

  /** At the end of the process. Another thread writes this, too: a full pipe would hold it up. */
  #writeLast(): void {
    this.#putAside();
    const rest = this.#take(this.#full.length);
    const descriptor = this.#target.descriptor();
    if (descriptor === undefined || (rest.length === 0 && !this.#isWriting)) return;
    if (rest.length > 0) write(descriptor, rest, 0, rest.length, null, () => undefined);
    Bun.sleepSync(LAST_WRITE_MS);
  }
}
