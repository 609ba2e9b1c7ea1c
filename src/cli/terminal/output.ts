import { withoutControls } from "../../lib/controls.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";

/** The control sequences that `colorsFor` writes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOURS = /(\x1b\[(?:[12]|22|3[1239])m)/;

/** Prints text, whatever servers have put into it; no control sequence but our colours goes out. */
export function printText(text: string): void {
  process.stdout.write(displayable(text, process.stdout));
}

/** Prints a line on stderr, beside the output of the command. */
export function printNote(text: string): void {
  process.stderr.write(displayable(`${text}\n`, process.stderr));
}

/** Prints a line. */
export function printLine(text: string): void {
  printText(`${text}\n`);
}

/** Prints a value as JSON; returns the exit code to end with. */
export function printJson(value: object, code: ExitCode = EXIT.ok): ExitCode {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  // Programs get the data as they are.
  if (process.stdout.isTTY === true) printText(text);
  else process.stdout.write(text);
  return code;
}

/** Text of a server without control characters other than tab and newline, safe to print. */
export function printable(text: string): string {
  return withoutControls(text);
}

/** Text with our own colours, where the stream shows them, and without other control characters. */
export function displayable(text: string, { isTTY }: { isTTY?: boolean }): string {
  if (isTTY !== true) return withoutControls(text);
  const parts = text.split(COLOURS);
  return parts.map((part, i) => (i % 2 === 1 ? part : withoutControls(part))).join("");
}
