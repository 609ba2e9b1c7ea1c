import { z } from "zod";
import { type LogFilter, SEVERITIES } from "../lib/logentry.ts";

/** The levels that a log can be set to. */
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;

export const LogEntryView = z.object({
  /** ISO 8601, UTC. */
  timestamp: z.string(),
  level: z.enum(SEVERITIES),
  /** The first word of the event. */
  target: z.string(),
  /** The event. */
  message: z.string(),
  fields: z.record(z.string(), z.unknown()),
});
export type LogEntryView = z.infer<typeof LogEntryView>;

/** The answer of `GET /api/logs`: the last lines, oldest first. */
export const LogAnswer = z.object({
  /** `load balancer`, `node`, or `endpoint:` and its name. */
  source: z.string(),
  entries: z.array(LogEntryView),
  /** The file on its host; null: it has none. */
  path: z.string().nullable(),
});
export type LogAnswer = z.infer<typeof LogAnswer>;

/** A frame of `GET /api/logs?follow=true`: a line, or how many were left out before it. */
export const LogFrame = z.union([
  /** With its id, the `last_event_id` of a client that comes again. */
  LogEntryView.extend({ id: z.string() }),
  z.object({ dropped: z.number().int() }),
]);
export type LogFrame = z.infer<typeof LogFrame>;

/** The body and the answer of `/api/log/level`. */
export const LogLevelBody = z.strictObject({
  level: z.enum(LOG_LEVELS, `it must be one of ${LOG_LEVELS.join(", ")}`),
});
export type LogLevelBody = z.infer<typeof LogLevelBody>;

const Count = z.coerce
  .number("it must be a number from 1 to 1000")
  .pipe(
    z
      .int("it must be a whole number")
      .min(1, "it must be at least 1")
      .max(1000, "it must be at most 1000"),
  );
const Text = z.string().min(1, "it must not be empty").max(500, "it is too long");

/** The query of `GET /api/logs`. */
export const LogQuery = z.strictObject({
  /** Most lines; of a stream, those that it begins with. Default: 200. */
  limit: Count.optional(),
  /** The older name of `limit`. */
  tail: Count.optional(),
  /** The least severe level. */
  level: z.enum(SEVERITIES, `it must be one of ${SEVERITIES.join(", ")}`).optional(),
  search: Text.optional(),
  model: Text.optional(),
  since: z.iso
    .datetime({ offset: true, error: "it must be a time such as 2026-01-31T12:00:00Z" })
    .optional(),
  /** A stream of events that goes on with each new line. */
  last_event_id: z.string().max(100).optional(),
  follow: z.enum(["true", "false", "1", "0"], "it must be true or false").optional(),
});
export type LogQuery = z.infer<typeof LogQuery>;

const LINES_DEFAULT = 200;

/** How many lines a query wants. */
export function linesOf({ limit, tail }: LogQuery): number {
  return limit ?? tail ?? LINES_DEFAULT;
}

/** Which lines a query wants. */
export function logFilterOf({ level, search, model, since }: LogQuery): LogFilter {
  return { level, search, model, sinceMs: since === undefined ? undefined : Date.parse(since) };
}

/** Whether a query wants a stream. */
export function isFollowing({ follow }: LogQuery): boolean {
  return follow === "true" || follow === "1";
}
