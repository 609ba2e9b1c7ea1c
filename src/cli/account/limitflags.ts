import type { Command } from "commander";
import type { z } from "zod";
import { type LimitChanges, Limits, limitText } from "../../wire/limits.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** The flags of limits, by the names that commander gives them. */
export interface LimitFlags {
  requestsPerMinute?: string;
  tokensPerMinute?: string;
  concurrent?: string;
  tokensPerDay?: string;
  tokensPerMonth?: string;
  costPerDay?: string;
  costPerMonth?: string;
  priority?: string;
}

const FIELDS = {
  requestsPerMinute: ["requests_per_minute", "--requests-per-minute <n>", "Requests a minute"],
  tokensPerMinute: ["tokens_per_minute", "--tokens-per-minute <n>", "Tokens a minute"],
  concurrent: ["concurrent_requests", "--concurrent <n>", "Requests at once"],
  tokensPerDay: ["tokens_per_day", "--tokens-per-day <n>", "Tokens a day (UTC)"],
  tokensPerMonth: ["tokens_per_month", "--tokens-per-month <n>", "Tokens a month"],
  costPerDay: ["cost_per_day", "--cost-per-day <amount>", "Money a day, by the models' prices"],
  costPerMonth: ["cost_per_month", "--cost-per-month <amount>", "Money a month"],
  priority: ["priority", "--priority <class>", "Class in the queue: high, normal, low"],
} as const satisfies Record<keyof LimitFlags, [keyof Limits, string, string]>;

/** Adds the flags of limits to a command. */
export function addLimitFlags(command: Command): Command {
  for (const [field, flags, help] of Object.values(FIELDS)) {
    const none = field === "priority" ? "none takes the class away" : "none takes the limit away";
    command.option(flags, `${help}; ${none}`);
  }
  return command;
}

/** The limits that the flags change; undefined for none. Throws `CliError` for a wrong value. */
export function limitsOf(flags: LimitFlags): z.infer<typeof LimitChanges> | undefined {
  const given = Object.entries(FIELDS).flatMap(([flag, [field, usage]]) => {
    const text = flags[flag as keyof LimitFlags];
    return text === undefined ? [] : [[field, limitOf(field, text, usage)] as const];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function limitOf(field: keyof Limits, text: string, usage: string): unknown {
  const value = text === "none" ? null : field === "priority" ? text : Number(text);
  if (Limits.shape[field].safeParse(value).success) return value;
  const [flag] = usage.split(" ");
  const wanted = field === "priority" ? "high, normal or low" : "a number of at least 0";
  throw new CliError(`${flag} ${text}: must be ${wanted}, or none`, EXIT.usage);
}

/** Limits in a line for people; "-" for none. */
export function limitsText(limits: Limits): string {
  const texts = Object.entries(limits).map(([name, value]) =>
    value === null ? [] : [limitText(name as keyof Limits, value)],
  );
  return texts.flat().join(", ") || "-";
}
