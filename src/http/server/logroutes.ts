import type { LogBook } from "../../lib/logbook.ts";
import {
  isFollowing,
  type LogAnswer,
  LogLevelBody,
  LogQuery,
  linesOf,
  logFilterOf,
} from "../../wire/log.ts";
import type { App } from "./app.ts";
import { readJson } from "./body.ts";
import { withoutIdleLimit } from "./listen.ts";
import { LogStreams, numberOfId } from "./logstream.ts";
import { readQuery } from "./query.ts";
import type { AppContext } from "./scope.ts";

export interface LogRouteParts {
  book: LogBook;
  /** Whose log it is, as answers name it. */
  source: string;
  /** Older paths of the same lines. Default: none. */
  alsoAt?: string[];
}

const BODY_BYTES_MAX = 1024;

/**
 * `GET /api/logs`: the last lines of this process's log, and with `follow=true` each new one as an
 * event. `GET` and `POST /api/log/level`: the least severe level that is written.
 */
export function routeLogs(app: App, { book, source, alsoAt = [] }: LogRouteParts): void {
  const streams = new LogStreams();

  async function show(c: AppContext): Promise<Response> {
    const query = readQuery(c, LogQuery);
    const max = linesOf(query);
    const filter = logFilterOf(query);
    const { tail } = book;
    const known = numberOfId(tail, query.last_event_id ?? c.req.header("last-event-id"));
    const after = known ?? tail.lastNumber;
    const entries = known === undefined ? await book.recent(filter, max, c.req.raw.signal) : [];
    if (!isFollowing(query)) return c.json<LogAnswer>({ source, entries, path: book.path ?? null });
    withoutIdleLimit(c);
    return new Response(streams.open({ tail, filter, first: entries, after }), {
      headers: LOG_STREAM_HEADERS,
    });
  }

  async function setLevel(c: AppContext): Promise<Response> {
    const { level } = (await readJson(c, LogLevelBody, BODY_BYTES_MAX)).value;
    const before = book.level;
    // With both levels it is written whichever is the less severe one.
    book.log.warn({ before, after: level }, "log.level_changed");
    book.setLevel(level);
    return c.json<LogLevelBody>({ level: book.level });
  }

  for (const path of ["/api/logs", "/v0/logs", ...alsoAt]) app.get(path, show);
  for (const path of ["/api/log/level", "/log/level"]) {
    app.get(path, (c) => c.json<LogLevelBody>({ level: book.level }));
    app.post(path, setLevel);
  }
}

const LOG_STREAM_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // Proxies would wait for more of it.
  "x-accel-buffering": "no",
};
