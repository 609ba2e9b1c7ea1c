import { ConfigError } from "../../config/error.ts";
import { colorsFor } from "../terminal/color.ts";
import { printNote } from "../terminal/output.ts";
import { inCommands } from "./commandwords.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";
import { describeFileError } from "./fileerror.ts";

/** Prints the error of a command on stderr and returns its exit code. */
export function reportError(cause: unknown): ExitCode {
  const { red, dim } = colorsFor(process.stderr);
  if (cause instanceof ConfigError || cause instanceof CliError) {
    printNote(`${red("error:")} ${inCommands(cause.message)}`);
    return cause instanceof CliError ? cause.exitCode : EXIT.usage;
  }
  const told = diskError(cause);
  if (told !== undefined) {
    printNote(`${red("error:")} ${told}`);
    return EXIT.error;
  }
  const stack = cause instanceof Error ? cause.stack : undefined;
  printNote(`${red("unexpected error:")} ${String(cause)}`);
  if (stack !== undefined) printNote(`${dim(stack)}`);
  return EXIT.error;
}

/** Where any command may be unable to write, which is no bug: a disk that is full or read-only. */
const DISK_CODES = ["EDQUOT", "ENOSPC", "EROFS"];

/** What is wrong with the disk; undefined: the error is another. */
export function diskError(cause: unknown): string | undefined {
  const { code, path } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || path === undefined || !DISK_CODES.includes(code)) return undefined;
  return `Writing ${path} failed: ${describeFileError(cause)}.`;
}
