import { z } from "zod";
import { backoffMs } from "../../../lib/backoff.ts";
import { sleep } from "../../../lib/sleep.ts";
import { LogFrame } from "../../../wire/log.ts";
import { CallError, send } from "../../api/call.ts";
import { eventsOf } from "../../api/eventstream.ts";
import { LogBuffer, type LogLine } from "./buffer.ts";

/** What a page knows of a log that it follows. */
export interface LogState {
  /** Oldest first. */
  lines: readonly LogLine[];
  received: number;
  dropped: number;
  /** The server has begun to tell it, at least once. */
  isLoaded: boolean;
  /** New lines come as they are written. */
  isLive: boolean;
  /** Why they do not. */
  error: Error | null;
}

/** The last event of a log that broke off on its way through the balancer. */
const Failure = z.object({
  error: z.object({ message: z.string(), code: z.string().nullish() }),
});

const EMPTY = { lines: [], received: 0, dropped: 0, isLoaded: false, isLive: false, error: null };
/** Lines that come faster are shown together. */
const FLUSH_MS = 80;
const RETRY = { firstMs: 1000, maxMs: 15_000 };
/** The server says every 15 s that it is there: a connection that is silent is gone. */
const SILENCE_MS_MAX = 45_000;

/** One log that is followed, as long as it is open. */
export class LogFeed {
  readonly #route: string;
  readonly #query: URLSearchParams;
  readonly #buffer = new LogBuffer();
  readonly #listeners = new Set<() => void>();
  #state: LogState = EMPTY;
  #waiting: LogFrame[] = [];
  #flush: ReturnType<typeof setTimeout> | undefined;
  #open: AbortController | undefined;

  /** `route`: `/api/logs`, or that of an endpoint's; `query` as `LogQuery` has it. */
  constructor(route: string, query: URLSearchParams) {
    this.#route = route;
    this.#query = new URLSearchParams([...query, ["follow", "true"]]);
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): LogState => this.#state;

  /** Follows it from where it was left. */
  open(): void {
    if (this.#open !== undefined) return;
    this.#open = new AbortController();
    void this.#follow(this.#open.signal);
  }

  /** Ends that; the lines stay. */
  close(): void {
    this.#open?.abort();
    this.#open = undefined;
    clearTimeout(this.#flush);
    this.#flush = undefined;
    this.#buffer.add(this.#waiting.splice(0));
    this.#change({ isLive: false });
  }

  /** Tries again at once. */
  readonly retry = (): void => {
    this.close();
    this.open();
  };

  async #follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#read(signal, () => {
          failures = 0;
        });
      } catch (cause) {
        if (signal.aborted) return;
        const error = cause instanceof Error ? cause : new Error(String(cause));
        this.#change({ isLive: false, error });
        failures += 1;
      }
      // The server ends each connection after a while, to look again who may read.
      await sleep(backoffMs(Math.max(0, failures - 1), RETRY), signal).catch(() => undefined);
    }
  }

  /** Reads one connection to its end. */
  async #read(outer: AbortSignal, onOpen: () => void): Promise<void> {
    const silence = new AbortController();
    const signal = AbortSignal.any([outer, silence.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onBytes = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(silent()), SILENCE_MS_MAX);
    };
    try {
      onBytes();
      const response = await send(`GET ${this.#route}?${this.#asked()}`, { signal });
      onOpen();
      this.#change({ isLive: true, error: null });
      this.#showSoon();
      for await (const data of eventsOf(response, onBytes)) {
        if (outer.aborted) return;
        this.#waiting.push(frameOf(data));
        this.#showSoon();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #asked(): URLSearchParams {
    const { lastId } = this.#buffer;
    return new URLSearchParams([
      ...this.#query,
      ...(lastId === undefined ? [] : [["last_event_id", lastId]]),
    ]);
  }

  /** Shows what has come, in a moment: there may be more. */
  #showSoon(): void {
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      this.#buffer.add(this.#waiting.splice(0));
      const { lines, received, dropped } = this.#buffer;
      this.#change({ lines, received, dropped, isLoaded: true });
    }, FLUSH_MS);
  }

  #change(changes: Partial<LogState>): void {
    this.#state = { ...this.#state, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

/** The frame in the data of an event. Throws `CallError` for what broke the log off instead. */
function frameOf(data: string): LogFrame {
  const value: unknown = JSON.parse(data);
  const { data: frame } = LogFrame.safeParse(value);
  if (frame !== undefined) return frame;
  const { message, code } = Failure.safeParse(value).data?.error ?? {};
  throw new CallError(message ?? data, { status: 200, code: code ?? "unexpected_answer" });
}

function silent(): CallError {
  const message = `Nothing came for ${SILENCE_MS_MAX / 1000} s, not even a sign of life.`;
  return new CallError(message, { status: 0, code: "unreachable" });
}
