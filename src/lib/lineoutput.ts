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
const WAITING_CHARS_MAX = 2 ** 20;
/** Most text in one write. */
const BATCH_CHARS_MAX = 2 ** 16;
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
  #waiting: string[] = [];
  #waitingChars = 0;
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
    if (this.#waitingChars + text.length > WAITING_CHARS_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(text);
    this.#waitingChars += text.length;
    if (!this.#isWriting && this.#gathering === undefined) this.#writeNext();
  }

  /** Resolves when everything is written, or after `waitMs`. */
  async idle(waitMs: number): Promise<void> {
    const isDue = this.#gathering !== undefined && this.#waiting.length > 0;
    if (this.#isWriting || isDue) await this.#idle.wait({ timeoutMs: waitMs });
  }

  #writeNext(): void {
    const batch = this.#take(BATCH_CHARS_MAX);
    this.#isWriting = batch !== "";
    if (this.#isWriting) this.#send(Buffer.from(batch));
  }

  #rest(): void {
    this.#isWriting = false;
    if (this.#waiting.length === 0) this.#idle.wakeAll();
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
        else if (this.#waitingChars >= BATCH_CHARS_MAX) this.#writeNext();
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

  #take(charsMax: number): string {
    let count = 0;
    for (let chars = 0; count < this.#waiting.length && chars < charsMax; count += 1) {
      chars += this.#waiting[count]?.length ?? 0;
    }
    const batch = this.#waiting.splice(0, count).join("");
    this.#waitingChars -= batch.length;
    if (batch === "" || this.#dropped === 0) return batch;
    const loss = this.#describeLoss(this.#dropped);
    this.#dropped = 0;
    return loss + batch;
  }

  /** At the end of the process. Another thread writes this, too: a full pipe would hold it up. */
  #writeLast(): void {
    const rest = Buffer.from(this.#take(Number.POSITIVE_INFINITY));
    const descriptor = this.#target.descriptor();
    if (descriptor === undefined || (rest.length === 0 && !this.#isWriting)) return;
    if (rest.length > 0) write(descriptor, rest, 0, rest.length, null, () => undefined);
    Bun.sleepSync(LAST_WRITE_MS);
  }
}
