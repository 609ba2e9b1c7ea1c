import pino from "pino";
import pretty from "pino-pretty";

/** A structured logger: `log.info({ field }, "subject.event")`. */
export type Logger = pino.Logger;

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

export interface LogOptions {
  /** Least severe level written. */
  level: LogLevel;
  /** JSON lines are appended to this file; none when absent. */
  file?: string;
  /** Write readable lines to stderr instead of JSON lines. Default: stderr is a terminal. */
  readable?: boolean;
}

const REDACTED = ["authorization", "api_key", "apiKey", "password", "token", "secret"];

/** Makes the process's logger: stderr (readable on a terminal) and, if asked, a JSON-lines file. */
export function createLogger(options: LogOptions): Logger {
  const readable = options.readable ?? process.stderr.isTTY === true;
  const streams: pino.StreamEntry[] = [
    {
      level: "trace",
      stream: readable
        ? pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "HH:MM:ss" })
        : pino.destination({ dest: 2, sync: true }),
    },
  ];
  if (options.file !== undefined) {
    streams.push({
      level: "trace",
      stream: pino.destination({ dest: options.file, mkdir: true, sync: true }),
    });
  }
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      redact: { paths: REDACTED.flatMap((key) => [key, `*.${key}`]), censor: "[redacted]" },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.multistream(streams),
  );
}
