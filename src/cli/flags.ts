import { type Command, Option } from "commander";
import { type Field, flagName } from "../config/fields/field.ts";
import { FIELD_KEYS, FIELDS } from "../config/fields.ts";
import type { Mode } from "../config/mode.ts";
import type { FlagValues } from "../config/precedence.ts";
import { closestWord } from "../config/suggestion.ts";
import { settingsOf } from "./help.ts";
import { CliError, EXIT } from "./process/exit.ts";

/** Adds the flags of a mode's settings to a command. The help lists them in groups of its own. */
export function addSettings(command: Command, mode: Mode): void {
  for (const key of settingsOf(mode)) {
    const field: Field = FIELDS[key];
    if (field.flags === undefined) continue;
    const option = new Option(field.flags).hideHelp();
    if (field.repeatable) {
      option.argParser((value: string, values: string[] = []) => [...values, value]);
    }
    command.addOption(option);
  }
}

/** The settings among a command's options; `engineArgs` is what stood behind `--`. */
export function flagsOf(options: Record<string, unknown>, engineArgs?: string[]): FlagValues {
  const flags: FlagValues = engineArgs === undefined ? {} : { engineArgs };
  for (const key of FIELD_KEYS) {
    const field: Field = FIELDS[key];
    if (field.flags === undefined) continue;
    const value = options[new Option(field.flags).attributeName()];
    if (typeof value === "string" || typeof value === "boolean") flags[key] = value;
    else if (Array.isArray(value)) flags[key] = value.map(String);
  }
  return flags;
}

/** Refuses words that no command takes, with the command that was probably meant. */
export function refuseExtra(extra: string[], command: Command): void {
  const [word] = extra;
  if (word === undefined) return;
  const names = command.commands.map((sub) => sub.name());
  const similar = closestWord(word, names);
  const problem = names.length > 0 ? `There is no command ${word}` : `${word} is not expected here`;
  const advice = similar === undefined ? "" : `: did you mean ${similar}?`;
  const shown = names.length > 0 ? "llmlb" : `llmlb ${command.name()}`;
  const help = `Run ${shown} --help to see what there is.`;
  throw new CliError(`${problem}${advice}\n${help}`, EXIT.usage);
}

/** The message about an unknown option with the one that was probably meant. */
export function withSuggestion(message: string): string {
  const [, option] = /unknown option '(--[^'=]+)/.exec(message) ?? [];
  if (option === undefined || message.includes("Did you mean")) return message;
  const similar = closestWord(
    option,
    FIELD_KEYS.map((key) => flagName(FIELDS[key] as Field)),
  );
  return similar === undefined ? message : `${message.trimEnd()}: did you mean ${similar}?\n`;
}
