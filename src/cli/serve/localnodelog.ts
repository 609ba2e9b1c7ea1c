import type { Logger } from "../../lib/log.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Logs a line that the local node printed: its log lines as such, anything else as text. */
export function logChildLine(log: Logger, line: string): void {
  const entry = parseEntry(line);
  if (entry === undefined) {
    log.warn({ line }, "local_node.output");
    return;
  }
  const { level, time: _time, pid, msg, ...fields } = entry;
  const method = LEVELS.find((name) => name === level) ?? "info";
  log[method]({ node_pid: pid, ...fields }, typeof msg === "string" ? msg : "local_node.log");
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined; // A line that only looks like one of ours.
  }
}
