import { type Command, Option } from "commander";
import { RUN_SETTING_NAMES, type RunSettings, readRunSettings } from "../../wire/runsettings.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { collectValues } from "./repeatable.ts";
import { wrap } from "./settinghelp.ts";

const flagOf = (name: string) => `--${name.replaceAll("_", "-")}`;

/** The flags for how a model runs, for help: in lines, indented. */
export const RUN_SETTING_FLAGS = wrap(RUN_SETTING_NAMES.map(flagOf).join(" "), 98)
  .map((line) => `  ${line}`)
  .join("\n");

/** Adds the flags for how a model runs. Help lists them only where it is told to. */
export function addRunSettingFlags(command: Command): Command {
  for (const name of RUN_SETTING_NAMES) {
    const repeatable = ["lora", "workers"].includes(name) ? { argParser: collectValues } : {};
    const option = new Option(`${flagOf(name)} <value>`).hideHelp();
    command.addOption(Object.assign(option, repeatable));
  }
  return command.option(
    "--arg <word>",
    "Any argument of llama-server, as --arg=--temp; may be repeated",
    collectValues,
  );
}

/**
 * The settings among the flags; undefined: there are none. With `nullable`, `none` takes one back.
 * Throws `CliError`.
 */
export function runSettingsOf(
  flags: Record<string, unknown>,
  { nullable = false } = {},
): RunSettings | undefined {
  const given: Record<string, unknown> = {};
  for (const name of [...RUN_SETTING_NAMES, "arg"]) {
    const value = flags[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (value === undefined) continue;
    const isTakenBack = nullable && String(value) === "none";
    given[name === "arg" ? "args" : name] = isTakenBack ? null : settingValue(name, value);
  }
  if (Object.keys(given).length === 0) return undefined;
  const settings = readRunSettings(given, { nullable });
  if (typeof settings === "string") throw new CliError(`--${settings}`, EXIT.usage);
  return settings;
}

/** What a word of the command line is as a value of a setting: a text, but for `pin`. */
export function settingValue(name: string, value: unknown): unknown {
  return name === "pin" && (value === "true" || value === "false") ? value === "true" : value;
}
