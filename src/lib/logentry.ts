/** The levels of log lines, least severe first. */
export const SEVERITIES = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogSeverity = (typeof SEVERITIES)[number];

/** A line of the log for those who read it. */
export interface LogEntry {
  /** ISO 8601, UTC. */
  timestamp: string;
  level: LogSeverity;
  /** What it is about: the first word of the event, e.g. `engine`. */
  target: string;
  /** The event, e.g. `engine.ready`. */
  message: string;
  fields: Record<string, unknown>;
}

/** Which lines are wanted. */
export interface LogFilter {
  /** The least severe level. Default: all. */
  level?: LogSeverity | undefined;
  /** Text that occurs in the line, in any case. */
  search?: string | undefined;
  /** The model that it is about. */
  model?: string | undefined;
  /** Not before this moment, Unix ms. */
  sinceMs?: number | undefined;
}

/** Reads a JSON line of the log; undefined if it is none. */
export function parseLogEntry(line: string): LogEntry | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined; // Cut off: its program was killed, or the disk was full.
  }
  const { level, time, msg, ...fields } = value;
  const severity = SEVERITIES.find((name) => name === level);
  if (severity === undefined || typeof time !== "string") return undefined;
  const message = typeof msg === "string" ? msg : "";
  const [target = ""] = message.split(".");
  return { timestamp: time, level: severity, target, message, fields };
}

/** Whether a line, given as its text and as what it says, is wanted. */
export function matchesLog(line: string, entry: LogEntry, filter: LogFilter): boolean {
  const { level, search, model, sinceMs } = filter;
  if (level !== undefined && !isAsSevere(entry.level, level)) return false;
  if (sinceMs !== undefined && Date.parse(entry.timestamp) < sinceMs) return false;
  if (model !== undefined && !isAbout(entry, model)) return false;
  return search === undefined || line.toLowerCase().includes(search.toLowerCase());
}

function isAsSevere(level: LogSeverity, least: LogSeverity): boolean {
  return SEVERITIES.indexOf(level) >= SEVERITIES.indexOf(least);
}

/** Engines for another task than the model's first have it behind the model's name. */
function isAbout({ fields }: LogEntry, model: string): boolean {
  const found = fields.model;
  return typeof found === "string" && (found === model || found.startsWith(`${model} (`));
}
