import { environment } from "../../config/environment.ts";

/** Writes text in colour where the stream shows it. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** The colours of a stream: none if it is no terminal or `NO_COLOR` is set (no-color.org). */
export function paintFor(stream: { isTTY?: boolean }): Paint {
  const env = environment();
  const on = stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  const paint = (code: number, end: number) => (text: string) =>
    on ? `\x1b[${code}m${text}\x1b[${end}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}

/** Lines of a table: columns as wide as their longest cell, two blanks between, none at the end. */
export function table(rows: string[][], indent = ""): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) {
      widths[i] = Math.max(widths[i] ?? 0, Bun.stringWidth(cell));
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - Bun.stringWidth(cell)));
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}

/** Text from a server made safe to print: no control characters other than tab and newline. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
}
