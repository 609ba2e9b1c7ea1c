import { jsonWithEscapedControls } from "./controls.ts";
import { createLogger, type Logger, type LogLevel, type LogOptions } from "./log.ts";
import type { LogEntry, LogFilter } from "./logentry.ts";
import { readOlderLines } from "./loghistory.ts";
import { LogTail } from "./logtail.ts";
import { Semaphore } from "./semaphore.ts";

export interface LogBookOptions extends Omit<LogOptions, "tail" | "onChild"> {
  /** Path of the file, which has the lines of earlier runs, too. Default: there is none. */
  path?: string | undefined;
}

/** So many questions may read files at a time. */
const READERS_MAX = 2;

/** A process's log: it is written, read, and its level can be changed. */
export class LogBook {
  readonly log: Logger;
  readonly tail = new LogTail();
  /** Path of its file; undefined if it has none. */
  readonly path: string | undefined;
  /** Called when another level is set. */
  onLevel: (level: LogLevel) => void = () => undefined;
  readonly #children = new Set<WeakRef<Logger>>();
  readonly #readers = new Semaphore(READERS_MAX);

  constructor({ path, ...options }: LogBookOptions) {
    this.path = path;
    const onChild = (child: Logger) => {
      for (const one of this.#children) if (one.deref() === undefined) this.#children.delete(one);
      this.#children.add(new WeakRef(child));
    };
    this.log = createLogger({ ...options, tail: this.tail, onChild });
  }

  /** The least severe level that is written. */
  get level(): LogLevel {
    return this.log.level as LogLevel;
  }

  /** Writes lines from this level on, until the process ends or another level is set. */
  setLevel(level: LogLevel): void {
    this.log.level = level;
    // A child keeps the level that its parent had when it was made.
    for (const child of this.#children) {
      const logger = child.deref();
      if (logger !== undefined) logger.level = level;
    }
    this.onLevel(level);
  }

  /**
   * The last lines that are wanted, oldest first: those in memory, and if they are fewer than
   * `max`, older ones of the file.
   */
  async recent(filter: LogFilter, max: number, signal: AbortSignal): Promise<LogEntry[]> {
    const kept = this.tail.recent(filter, { max }).map(({ entry }) => entry);
    if (kept.length >= max || this.path === undefined) return kept;
    const { oldest } = this.tail;
    const before = oldest && jsonWithEscapedControls(oldest.text);
    using _reader = await this.#readers.acquire(signal);
    const older = await readOlderLines(this.path, { filter, max: max - kept.length, before });
    return [...older, ...kept];
  }
}
