import type { Logger } from "../lib/log.ts";
import type { Checks } from "./history/checks.ts";
import type { Requests } from "./history/requests.ts";
import type { Responses } from "./history/responses.ts";
import type { Usage } from "./history/usage.ts";
import type { Enrolment } from "./state/enrolment.ts";
import type { Invitations } from "./state/invitations.ts";

interface RetentionOptions {
  requests: Requests;
  responses: Responses;
  usage: Usage;
  checks: Checks;
  enrolment: Enrolment;
  invitations: Invitations;
  /** How long requests are kept. */
  historyMs: number;
  /** Most bytes that the history's file may hold. */
  historyBytesMax: number;
  /** How long health checks are kept. */
  checksMs: number;
  log: Logger;
}

const EVERY_MS = 3_600_000;
/** How often the file's size is looked at: it can grow by gigabytes an hour. */
const SIZE_EVERY_MS = 60_000;
/** Not at once: starting is more urgent. */
const FIRST_MS = 10_000;
/** 500 endpoints make this many checks in three and a half days. */
const CHECKS_MAX = 5_000_000;
/** As long as OpenAI keeps responses. */
const RESPONSES_MS = 30 * 86_400_000;
/** Some 50 MB. */
const RESPONSES_MAX = 200_000;
/** How long usage is kept by the hour; by the day it is for ever. */
const USAGE_HOURS_MS = 90 * 86_400_000;
/** Some 140 MB: what is used by the hour must not drive the requests out of the file. */
const USAGE_HOURS_MAX = 500_000;
/** How long expired tokens and invitations are still listed. */
const TOKENS_MS = 30 * 86_400_000;

/**
 * Deletes what is too old, 10 s after the start and then every hour, and the oldest requests where
 * the history takes too much room, every minute, until stopped. Never throws.
 */
export function startRetention(options: RetentionOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let timer = schedule(FIRST_MS);
  let prunedAt = -Infinity;

  async function prune(): Promise<void> {
    const isDue = performance.now() - prunedAt >= EVERY_MS;
    if (isDue) prunedAt = performance.now();
    await (isDue ? pruneAll : pruneToSize)(options, stopping.signal);
  }

  function schedule(delayMs: number): Timer {
    const next = setTimeout(() => {
      running = prune().finally(() => {
        running = undefined;
        if (!stopping.signal.aborted) timer = schedule(SIZE_EVERY_MS);
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

async function pruneAll(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const { requests, responses, usage, checks, enrolment, invitations } = options;
  const { historyMs, checksMs, log } = options;
  const now = Date.now();
  try {
    const pruned = {
      requests: await requests.prune(now - historyMs, signal),
      responses: await responses.prune(now - RESPONSES_MS, RESPONSES_MAX, signal),
      usageHours: await usage.pruneHours(now - USAGE_HOURS_MS, USAGE_HOURS_MAX, signal),
      checks: await checks.prune(now - checksMs, CHECKS_MAX, signal),
      tokens: await enrolment.pruneTokens(now - TOKENS_MS),
      invitations: await invitations.prune(now - TOKENS_MS),
    };
    await pruneToSize(options, signal);
    if (Object.values(pruned).some((rows) => rows > 0)) log.info(pruned, "storage.pruned");
  } catch (err) {
    log.warn({ err }, "storage.prune_failed");
  }
}

async function pruneToSize(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const { requests, historyBytesMax: bytesMax, log } = options;
  try {
    const pruned = await requests.pruneToSize(bytesMax, signal);
    if (pruned > 0) log.warn({ requests: pruned, bytes_max: bytesMax }, "storage.pruned_to_size");
  } catch (err) {
    log.warn({ err }, "storage.prune_failed");
  }
}
