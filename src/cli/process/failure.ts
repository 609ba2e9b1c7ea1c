import { ConfigError } from "../../config/error.ts";
import type { Logger } from "../../lib/log.ts";
import { paintFor } from "../terminal/terminal.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";

/** Tells the user why a command failed, on stderr, and returns the exit code for it. */
export function reportFailure(cause: unknown): ExitCode {
  const { red, dim } = paintFor(process.stderr);
  if (cause instanceof ConfigError || cause instanceof CliError) {
    process.stderr.write(`${red("error:")} ${cause.message}\n`);
    return cause instanceof CliError ? cause.exitCode : EXIT.usage;
  }
  const stack = cause instanceof Error ? cause.stack : undefined;
  process.stderr.write(`${red("unexpected error:")} ${String(cause)}\n`);
  if (stack !== undefined) process.stderr.write(`${dim(stack)}\n`);
  return EXIT.error;
}

/** While nothing is served, what nobody caught ends the program with an error. */
export function exitOnUncaught(): void {
  process.on("uncaughtException", exitUncaught);
  process.on("unhandledRejection", exitUncaught);
}

/**
 * While requests are served, what nobody caught is logged and the process goes on: one request's
 * fault must not end the others. What belongs to the whole process is awaited, so it is caught.
 */
export function logUncaught(log: Logger): void {
  process.off("uncaughtException", exitUncaught);
  process.off("unhandledRejection", exitUncaught);
  process.on("uncaughtException", (err) => log.error({ err }, "process.uncaught_exception"));
  process.on("unhandledRejection", (err) => log.error({ err }, "process.unhandled_rejection"));
}

/** A reader that went away (`llmlb status | head`) is no failure: nobody is left to tell. */
export function endWithReader(): void {
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EPIPE") process.exit(EXIT.ok);
  });
}

function exitUncaught(cause: unknown): void {
  process.exit(reportFailure(cause));
}
