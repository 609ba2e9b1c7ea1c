import type { Logger } from "../lib/log.ts";
import type { Checks } from "./history/checks.ts";
import type { Requests } from "./history/requests.ts";
import type { Enrolment } from "./state/enrolment.ts";

export interface RetentionOptions {
  requests: Requests;
  checks: Checks;
  enrolment: Enrolment;
  /** How long requests are remembered. */
  historyMs: number;
  /** How long health checks are remembered. */
  checksMs: number;
  log: Logger;
}

const EVERY_MS = 3_600_000;
/** The start has better things to do first. */
const FIRST_MS = 10_000;
/** 500 endpoints make this many checks in three and a half days. */
const CHECKS_MAX = 5_000_000;
/** Expired tokens can still be looked at for this long. */
const TOKENS_MS = 30 * 86_400_000;

/** Forgets what is too old, soon after the start and then every hour, until stopped. */
export function startRetention(options: RetentionOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let timer = schedule(FIRST_MS);

  function schedule(delayMs: number): Timer {
    const next = setTimeout(() => {
      running = forgetOld(options, stopping.signal).finally(() => {
        running = undefined;
        if (!stopping.signal.aborted) timer = schedule(EVERY_MS);
      });
    }, delayMs);
    next.unref();
    return next;
  }

  return {
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

async function forgetOld(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const { requests, checks, enrolment, historyMs, checksMs, log } = options;
  const now = Date.now();
  try {
    const forgotten = {
      requests: await requests.prune(now - historyMs, signal),
      checks: await checks.prune(now - checksMs, CHECKS_MAX, signal),
      tokens: await enrolment.pruneTokens(now - TOKENS_MS),
    };
    if (Object.values(forgotten).some((rows) => rows > 0)) log.info(forgotten, "storage.pruned");
  } catch (err) {
    log.warn({ err }, "storage.prune_failed");
  }
}
