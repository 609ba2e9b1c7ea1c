import { countsAsFailure, type RequestRow } from "../../db/history/records.ts";
import type { Requests } from "../../db/history/requests.ts";
import type { Logger } from "../../lib/log.ts";
import type { RecentMetrics, RecentSpan } from "../../wire/event.ts";
import { type EndedSample, MetricsWindow } from "./metricswindow.ts";

/** What `GET /api/metrics/recent` tells: an hour, or a day in longer steps. */
const RECENT = { hour: { spanS: 10, spans: 360 }, day: { spanS: 300, spans: 288 } };
const DAY_MS = 86_400_000;
/** Requests of earlier processes that are counted: the last ones. */
const REFILL_MAX = 100_000;
const REFILL_PAGE = 1000;

/** The metrics of the last hour and of the last day, also of processes before this one. */
export class RecentWindows {
  readonly #windows = { hour: new MetricsWindow(RECENT.hour), day: new MetricsWindow(RECENT.day) };
  readonly #beganMs = Date.now();

  /** Counts a request that ended at `endedMs` (unix ms). */
  count(sample: EndedSample, endedMs: number): void {
    this.#windows.hour.count(sample, endedMs);
    this.#windows.day.count(sample, endedMs);
  }

  /** The metrics of the last hour or day, oldest first. */
  of(span: RecentSpan): RecentMetrics {
    return { step_s: RECENT[span].spanS, points: this.#windows[span].points(Date.now()) };
  }

  /**
   * Counts what the history has of the last day, so that a new process does not begin with nothing.
   * A history that cannot be read is logged, and changes nothing.
   */
  async refill(history: Pick<Requests, "latest" | "since">, log: Logger): Promise<void> {
    const filter = { from: this.#beganMs - DAY_MS, until: this.#beganMs };
    try {
      let seq = Math.max(0, (await history.latest()) - REFILL_MAX);
      for (;;) {
        const page = await history.since(filter, seq, REFILL_PAGE);
        for (const row of page.records) this.count(sampleOf(row), row.completedAt);
        if (page.records.length < REFILL_PAGE) return;
        seq = page.seq;
      }
    } catch (error) {
      log.warn({ err: error }, "metrics.history_unread");
    }
  }
}

/**
 * When its first token came is not kept, only when its first byte did; nor whether it went on
 * elsewhere, in what is listed.
 */
function sampleOf(row: RequestRow): EndedSample {
  return {
    isError: countsAsFailure(row),
    isContinued: false,
    outputTokens: row.outputTokens ?? 0,
    firstTokenMs: row.streamed ? row.firstByteMs : null,
    durationMs: row.durationMs,
  };
}
