import type { Logger } from "../../lib/log.ts";
import { reportError } from "./errorreport.ts";
import { EXIT } from "./exit.ts";

/** Makes an uncaught error end the process with a report; for processes that do not serve yet. */
export function exitOnUncaught(): void {
  process.on("uncaughtException", exitUncaught);
  process.on("unhandledRejection", exitUncaught);
}

/**
 * Makes an uncaught error a line in the log; for processes that serve. One request's error must not
 * end the others, and errors of the process itself are caught where it awaits its parts.
 */
export function logUncaught(log: Logger): void {
  process.off("uncaughtException", exitUncaught);
  process.off("unhandledRejection", exitUncaught);
  process.on("uncaughtException", (err) => log.error({ err }, "process.uncaught_exception"));
  process.on("unhandledRejection", (err) => log.error({ err }, "process.unhandled_rejection"));
}

/** Ends the process with exit code 0 once nobody reads its output, as in `llmlb status | head`. */
export function exitOnBrokenPipe(): void {
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EPIPE") process.exit(EXIT.ok);
  });
}

function exitUncaught(cause: unknown): void {
  process.exit(reportError(cause));
}
