import { parseDurationMs } from "../../config/units.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** A whole number of at least 1. Throws `CliError`. */
export function parseCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new CliError(`${flag} ${text}: must be a whole number of at least 1`, EXIT.usage);
}

/** A time as whole seconds, at least one. Throws `CliError`. */
export function parseSeconds(flag: string, text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1000 && ms % 1000 === 0) return ms / 1000;
  const message = `${flag} ${text}: must be a time in whole seconds such as 30s, 10m or 24h`;
  throw new CliError(message, EXIT.usage);
}

/** The words of a list that is separated by commas. */
export function wordsOf(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
