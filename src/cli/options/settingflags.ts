import { type Command, Option } from "commander";
import { envName } from "../../config/fields/field.ts";
import { FIELD_KEYS, type FieldKey, fieldOf } from "../../config/fields.ts";
import type { FlagValues } from "../../config/precedence.ts";
import { collectValues } from "./repeatable.ts";

/**
 * Adds the flags of settings to a command: listed among its options, or hidden where the help shows
 * all settings in groups of its own.
 */
export function addSettingFlags(
  command: Command,
  keys: FieldKey[],
  help: "listed" | "hidden",
): Command {
  for (const key of keys) {
    const field = fieldOf(key);
    if (field.flags === undefined) continue;
    const option = new Option(field.flags, `${field.help} [${envName(field)}]`);
    if (help === "hidden") option.hideHelp();
    if (field.repeatable) option.argParser(collectValues);
    command.addOption(option);
  }
  return command;
}

/** The settings among the parsed options of a command; `engineArgs` are those behind `--`. */
export function settingFlagValues(
  options: Record<string, unknown>,
  engineArgs?: string[],
): FlagValues {
  const flags: FlagValues = engineArgs === undefined ? {} : { engineArgs };
  for (const key of FIELD_KEYS) {
    const field = fieldOf(key);
    if (field.flags === undefined) continue;
    const value = options[new Option(field.flags).attributeName()];
    if (typeof value === "string" || typeof value === "boolean") flags[key] = value;
    else if (Array.isArray(value)) flags[key] = value.map(String);
  }
  return flags;
}
