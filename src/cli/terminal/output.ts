import { withoutControls } from "../../lib/controls.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";

/** Prints a line. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a value as JSON; returns the exit code to end with. */
export function printJson(value: object, code: ExitCode = EXIT.ok): ExitCode {
  printLine(JSON.stringify(value, null, 2));
  return code;
}

/** Text of a server without control characters other than tab and newline, safe to print. */
export function printable(text: string): string {
  return withoutControls(text);
}
