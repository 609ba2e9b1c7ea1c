import { ConfigError } from "../../config/error.ts";
import { colorsFor } from "../terminal/color.ts";
import { printNote } from "../terminal/output.ts";
import { inCommands } from "./commandwords.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";

/** Prints the error of a command on stderr and returns its exit code. */
export function reportError(cause: unknown): ExitCode {
  const { red, dim } = colorsFor(process.stderr);
  if (cause instanceof ConfigError || cause instanceof CliError) {
    printNote(`${red("error:")} ${inCommands(cause.message)}`);
    return cause instanceof CliError ? cause.exitCode : EXIT.usage;
  }
  const stack = cause instanceof Error ? cause.stack : undefined;
  printNote(`${red("unexpected error:")} ${String(cause)}`);
  if (stack !== undefined) printNote(`${dim(stack)}`);
  return EXIT.error;
}
