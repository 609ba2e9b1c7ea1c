import { environment } from "../../config/environment.ts";

/** Adds colours to text, or leaves it as it is. */
export interface Colors {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** The colours of a stream; none if it is no terminal or `NO_COLOR` is set (no-color.org). */
export function colorsFor(stream: { isTTY?: boolean }): Colors {
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
