import { type LogEntry, type LogFilter, matchesLog, parseLogEntry } from "./logentry.ts";

/** Most lines that are kept, and most characters of them together. */
const LINES_MAX = 4096;
const CHARS_MAX = 4 * 2 ** 20;

/** A line that was kept: its number, counted from the start of the process, and its text. */
export interface KeptLine {
  readonly number: number;
  readonly text: string;
}

/** A line that somebody wanted. */
export interface FoundLine {
  number: number;
  entry: LogEntry;
}

export interface LogTailLimits {
  /** Default: 4096. */
  linesMax?: number;
  /** Default: 4 Mi. */
  charsMax?: number;
}

/** The last lines of a process's log, in memory: as many as `linesMax` and `charsMax` allow. */
export class LogTail {
  /** Tells this run of the process from those before and after it. */
  readonly id = crypto.randomUUID().slice(0, 8);
  readonly #linesMax: number;
  readonly #charsMax: number;
  /** Oldest first, from `#first` on; what is before it is gone. */
  #lines: KeptLine[] = [];
  #first = 0;
  #chars = 0;
  #count = 0;
  readonly #followers = new Set<(line: FoundLine, text: string) => void>();

  constructor({ linesMax = LINES_MAX, charsMax = CHARS_MAX }: LogTailLimits = {}) {
    this.#linesMax = linesMax;
    this.#charsMax = charsMax;
  }

  /** The number of the last line; 0 before the first. */
  get lastNumber(): number {
    return this.#count;
  }

  /** The oldest line that is there still; undefined if there is none. */
  get oldest(): KeptLine | undefined {
    return this.#lines[this.#first];
  }

  /** Takes one line with its end. */
  write(line: string): void {
    const text = line.trimEnd();
    this.#count += 1;
    this.#lines.push({ number: this.#count, text });
    this.#chars += text.length;
    while (this.#isFull()) this.#forgetFirst();
    if (this.#followers.size === 0) return;
    const entry = parseLogEntry(text);
    if (entry === undefined) return;
    for (const follow of this.#followers) follow({ number: this.#count, entry }, text);
  }

  /** The last lines that are wanted, oldest first: `max` at most, all after the line `after`. */
  recent(filter: LogFilter, { max, after = 0 }: { max: number; after?: number }): FoundLine[] {
    const found: FoundLine[] = [];
    for (let at = this.#lines.length - 1; at >= this.#first && found.length < max; at -= 1) {
      const line = this.#lines[at];
      if (line === undefined || line.number <= after) break;
      const entry = parseLogEntry(line.text);
      if (entry === undefined || !matchesLog(line.text, entry, filter)) continue;
      found.push({ number: line.number, entry });
    }
    return found.reverse();
  }

  /** Calls `act` with each further line that is wanted, until the returned function is called. */
  follow(filter: LogFilter, act: (line: FoundLine) => void): () => void {
    const follower = (line: FoundLine, text: string) => {
      if (matchesLog(text, line.entry, filter)) act(line);
    };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #isFull(): boolean {
    const count = this.#lines.length - this.#first;
    return count > 1 && (count > this.#linesMax || this.#chars > this.#charsMax);
  }

  #forgetFirst(): void {
    this.#chars -= this.#lines[this.#first]?.text.length ?? 0;
    this.#first += 1;
    // To move all lines for each one that goes would cost more than to have them twice for a while.
    if (this.#first < this.#linesMax) return;
    this.#lines = this.#lines.slice(this.#first);
    this.#first = 0;
  }
}
