import type { LogEntryView, LogFrame } from "../../../wire/log.ts";

/** Lines that a page keeps; older ones are forgotten. */
const LINES_MAX = 10_000;

/** A line of a log. */
export interface LogLine extends LogEntryView {
  /** Counted from the first one that the page got. */
  number: number;
}

/**
 * The last lines of a log that is followed, each of them once: an llmlb that was started again
 * tells lines that are here already, and its ids are others than those before.
 */
export class LogBuffer {
  /** Oldest first. */
  lines: readonly LogLine[] = [];
  /** Lines that came so far, also those that are forgotten. */
  received = 0;
  /** Lines that the server left out, as they were too many at a time. */
  dropped = 0;
  /** Of the last line: with it the server goes on behind that. */
  lastId: string | undefined;
  readonly #linesMax: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** What another run of the process tells up to then is known. */
  #knownUntilMs = Number.NEGATIVE_INFINITY;

  constructor(linesMax = LINES_MAX) {
    this.#linesMax = linesMax;
  }

  /** Takes what came, in the order in which it came. */
  add(frames: readonly LogFrame[]): void {
    const added = frames.flatMap((frame) => this.#lineOf(frame) ?? []);
    if (added.length > 0) this.lines = [...this.lines, ...added].slice(-this.#linesMax);
  }

  #lineOf(frame: LogFrame): LogLine | undefined {
    if (!("id" in frame)) {
      this.dropped += frame.dropped;
      return undefined;
    }
    const { id, ...entry } = frame;
    const atMs = Date.parse(entry.timestamp);
    if (this.lastId !== undefined && runOf(id) !== runOf(this.lastId)) {
      this.#knownUntilMs = this.#lastMs;
    }
    this.lastId = id;
    if (atMs <= this.#knownUntilMs) return undefined;
    this.#knownUntilMs = Number.NEGATIVE_INFINITY;
    this.#lastMs = atMs;
    this.received += 1;
    return { ...entry, number: this.received };
  }
}

/** The run of the process that an id is of. */
function runOf(id: string): string {
  return id.slice(0, id.lastIndexOf("-"));
}
