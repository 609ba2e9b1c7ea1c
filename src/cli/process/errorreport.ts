import { ConfigError } from "../../config/error.ts";
import { colorsFor } from "../terminal/color.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";

/** Prints the error of a command on stderr and returns its exit code. */
export function reportError(cause: unknown): ExitCode {
  const { red, dim } = colorsFor(process.stderr);
  if (cause instanceof ConfigError || cause instanceof CliError) {
    process.stderr.write(`${red("error:")} ${cause.message}\n`);
    return cause instanceof CliError ? cause.exitCode : EXIT.usage;
  }
  const stack = cause instanceof Error ? cause.stack : undefined;
  process.stderr.write(`${red("unexpected error:")} ${String(cause)}\n`);
  if (stack !== undefined) process.stderr.write(`${dim(stack)}\n`);
  return EXIT.error;
}
