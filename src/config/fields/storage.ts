import { join } from "node:path";
import type { LogLevel } from "../../lib/log.ts";
import { releaseFeed } from "../release.ts";
import { absolutePathFrom, pathOrNone, urlOrPath, userFolder } from "../values/path.ts";
import { bytes, duration, oneOf, trueOrFalse } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

/**
 * What the history keeps of requests' and answers' bodies: nothing, their form without what was
 * said, or what was said. Attachments (data URLs, long base64) are left out in any case.
 */
export type HistoryBodies = "none" | "redacted" | "full";

const LEVELS: LogLevel[] = ["trace", "debug", "info", "warn", "error", "silent"];
const HISTORY_BODIES: HistoryBodies[] = ["none", "redacted", "full"];
const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
/** Below this, indexes and statistics take most of it. */
const HISTORY_BYTES_MIN = 16 * 2 ** 20;

/** Where data is kept, for how long, and what is logged. */
export interface StorageSettings {
  /** Data folder, absolute. */
  home: string;
  historyBodies: HistoryBodies;
  /** How long requests stay in the history; statistics stay forever. */
  historyRetentionMs: number;
  /** Most bytes that the file of the history may hold. */
  historyBytesMax: number;
  /** How long records stay in the audit log. */
  auditRetentionMs: number;
  logLevel: LogLevel;
  /** The log's file, absolute; `none`: there is none; null: `logs/llmlb.log` in the data folder. */
  logFile: string | null;
  /** The log goes to stderr, too. */
  logStderr: boolean;
  /** A line for each request, at level `info`. */
  accessLog: boolean;
  /** Where newer releases are told of: a URL or an absolute path; null: nowhere. */
  updateFeed: string | null;
}

/** Path of the log of a serving llmlb; undefined: it has no file. */
export function logFileOf({
  logFile,
  home,
}: Pick<StorageSettings, "logFile" | "home">): string | undefined {
  if (logFile === "none") return undefined;
  return logFile ?? join(home, "logs", "llmlb.log");
}

/** The fields of `StorageSettings`. */
export const STORAGE_FIELDS: FieldsOf<StorageSettings> = {
  home: {
    name: "home",
    flags: "--home <folder>",
    group: "Files and logs",
    help: "Data folder: config.json, models, logs",
    schema: (folder) => absolutePathFrom(folder),
    fallback: () => join(userFolder(), ".llmlb"),
    fallbackText: "~/.llmlb",
    notInFile: true,
  },
  historyBodies: {
    name: "history_bodies",
    flags: "--history-bodies <what>",
    group: "Files and logs",
    help: "Kept of prompts and answers: none, redacted (form without texts), full (no attachments)",
    schema: () => oneOf(HISTORY_BODIES),
    fallback: () => "redacted",
  },
  historyRetentionMs: {
    name: "history_retention",
    flags: "--history-retention <time>",
    group: "Files and logs",
    help: "How long requests stay in the history; statistics are kept forever",
    schema: () => duration(60 * SECOND_MS, 3650 * DAY_MS),
    fallback: () => 7 * DAY_MS,
    unit: "ms",
  },
  historyBytesMax: {
    name: "history_size",
    flags: "--history-size <size>",
    group: "Files and logs",
    help: "Most room that the history takes; beyond it, the oldest requests are deleted",
    schema: () => bytes(HISTORY_BYTES_MIN),
    fallback: () => 2 ** 30,
    unit: "bytes",
  },
  auditRetentionMs: {
    name: "audit_retention",
    flags: "--audit-retention <time>",
    group: "Files and logs",
    help: "How long it is kept who changed what, who logged in and who was refused",
    schema: () => duration(60 * SECOND_MS, 3650 * DAY_MS),
    fallback: () => 365 * DAY_MS,
    unit: "ms",
  },
  logLevel: {
    name: "log_level",
    reload: true,
    flags: "--log-level <level>",
    group: "Files and logs",
    help: `Least severe log lines written: ${LEVELS.join(", ")}`,
    schema: () => oneOf(LEVELS),
    fallback: () => "info",
  },
  logFile: {
    name: "log_file",
    flags: "--log-file <file>",
    group: "Files and logs",
    help: "File of the log, beside stderr, or none; at 32 MiB it is renamed, and one older is kept",
    schema: (folder) => pathOrNone(folder),
    fallback: () => null,
    fallbackText: "<home>/logs/llmlb.log",
  },
  logStderr: {
    name: "log_stderr",
    flags: "--log-stderr <on or off>",
    group: "Files and logs",
    help: "The log goes to stderr as well; off where stderr is a file that nobody rotates",
    schema: () => trueOrFalse(),
    fallback: () => true,
    fallbackText: "on",
  },
  accessLog: {
    name: "access_log",
    reload: true,
    flags: "--access-log <on or off>",
    group: "Files and logs",
    help: "A line in the log, of level info, for each request",
    schema: () => trueOrFalse(),
    fallback: () => true,
    fallbackText: "on",
  },
  updateFeed: {
    name: "update_feed",
    flags: "--update-feed <url or file>",
    group: "Files and logs",
    help: "Feed of releases that llmlb update looks at",
    schema: (folder) => urlOrPath(folder),
    fallback: releaseFeed,
    fallbackText: "that of the releases; none in a build without a release key",
  },
};
