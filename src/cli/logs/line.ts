import type { LogEntry, LogSeverity } from "../../lib/logentry.ts";
import type { Colors } from "../terminal/color.ts";
import { localTime } from "../terminal/numbers.ts";
import { printable } from "../terminal/output.ts";

/** An entry of a log as one line: `2026-01-31 12:00:00 WARN  engine.log model=qwen text="…"`. */
export function entryLine({ timestamp, level, message, fields }: LogEntry, paint: Colors): string {
  const shown = Object.entries(fields).filter(([name]) => name !== "pid");
  return [
    paint.dim(localTime(timestamp)),
    painted(level, paint)(level.toUpperCase().padEnd(5)),
    printable(message),
    ...shown.map(([name, value]) => `${paint.dim(`${printable(name)}=`)}${valueText(value)}`),
  ].join(" ");
}

function painted(level: LogSeverity, paint: Colors): (text: string) => string {
  if (level === "error" || level === "fatal") return paint.red;
  if (level === "warn") return paint.yellow;
  return level === "info" ? paint.green : paint.dim;
}

/** Text without spaces as it is, all else as JSON: a line of the log stays one line. */
function valueText(value: unknown): string {
  const isPlain = typeof value === "string" && /^[^\s"=]+$/.test(value);
  return printable(isPlain ? value : (JSON.stringify(value) ?? ""));
}
