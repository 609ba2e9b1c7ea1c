import type { Command } from "commander";
import { parseDurationMs } from "../../config/units.ts";
import type { ClientFlags } from "../client/options.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** Flags that choose among requests. */
export interface SelectionFlags extends ClientFlags {
  model?: string;
  endpoint?: string;
  key?: string;
  user?: string;
  type?: string;
  from?: string;
  to?: string;
}

/** Adds the options that choose among requests. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option("--model <name>", "Only requests for this model")
    .option("--endpoint <name>", "Only those that this endpoint answered; name or id")
    .option("--key <name>", "Only those with this key; name or id")
    .option("--user <name>", "Only those of this user; name or id")
    .option("--type <type>", "Only chat, embeddings, responses, …")
    .option("--from <time>", "Not before: 2h, 7d, 2026-01-31 or 2026-01-31T12:00:00Z")
    .option("--to <time>", "Not after; a day counts as a whole");
}

/** The query of the API for these flags. Throws `CliError` for a time that is none. */
export function selectionQuery(flags: SelectionFlags): URLSearchParams {
  const { model, endpoint, key, user, type } = flags;
  const query = new URLSearchParams();
  set(query, { model, endpoint, key, user, type });
  set(query, { from: timeOf("--from", flags.from), to: timeOf("--to", flags.to) });
  return query;
}

/** Sets the parameters that are not undefined. */
export function set(query: URLSearchParams, values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) query.set(name, value);
  }
}

/** Throws `CliError` for a length of a list that no list has. */
export function requireCount(flag: string, text: string | undefined): void {
  if (text === undefined || (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= COUNT_MAX)) return;
  throw new CliError(`${flag} ${text}: must be a whole number from 1 to ${COUNT_MAX}`, EXIT.usage);
}

/** A time as the API takes it; `2h` is two hours ago. */
export function timeOf(flag: string, text: string | undefined): string | undefined {
  if (text === undefined || /^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const ago = /[a-z]$/.test(text) ? parseDurationMs(text) : undefined;
  const time = ago === undefined ? Date.parse(text) : Date.now() - ago;
  if (/^\d+$/.test(text) || Number.isNaN(time)) {
    const message = `${flag} ${text}: must be a time such as 2h, 7d, 2026-01-31 or ${EXAMPLE}`;
    throw new CliError(message, EXIT.usage);
  }
  return new Date(time).toISOString();
}

const COUNT_MAX = 1000;
const EXAMPLE = "2026-01-31T12:00:00Z";
