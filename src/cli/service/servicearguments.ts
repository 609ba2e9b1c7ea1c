import { Command } from "commander";
import { environment } from "../../config/environment.ts";
import { type FieldKey, fieldOf } from "../../config/fields.ts";
import type { FlagValues } from "../../config/precedence.ts";
import { loadSettings } from "../../config/precedence.ts";
import type { Settings } from "../../config/settings.ts";
import { maskUrl } from "../../config/values/endpoint.ts";
import { readCommandLine } from "../options/commandline.ts";
import { settingsOfMode } from "../options/modesettings.ts";
import { addSettingFlags, settingFlagValues } from "../options/settingflags.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** What a service is started with. */
export interface ServiceArguments {
  /** The program's arguments, with the data folder among them. */
  words: string[];
  /** The settings that it will have. */
  settings: Settings;
}

const MODES = { serve: "standalone", balancer: "balancer", node: "node" } as const;
const COMMANDS = new Map(Object.keys(MODES).map((name) => [name, []]));

/**
 * Reads the arguments that a service is to be started with, as llmlb itself will read them, in the
 * data folder and without the variables of this shell. Throws `ConfigError`, `CommanderError`, and
 * `CliError` for secrets, which everybody could read in the service's definition.
 */
export function readServiceArguments(
  words: readonly string[],
  { home, withoutConfig = false }: { home: string; withoutConfig?: boolean },
): ServiceArguments {
  const { own, engineArgs } = readCommandLine([...words], COMMANDS);
  const [first = ""] = own;
  const name = Object.hasOwn(MODES, first) ? (first as keyof typeof MODES) : "serve";
  const rest = first === name ? own.slice(1) : own;
  const command = new Command(`llmlb ${name}`).exitOverride().helpOption(false);
  command.allowExcessArguments(false);
  addSettingFlags(command, settingsOfMode(MODES[name]), "hidden");
  command.parse(rest, { from: "user" });
  const flags = settingFlagValues(command.opts(), engineArgs);
  refuse(words, flags);
  if (name !== "serve") flags.mode = MODES[name];
  const env = { LLMLB_HOME: home };
  const { settings } = loadSettings({ flags, env, cwd: home, withoutFile: withoutConfig });
  const behind = engineArgs === undefined ? [] : ["--", ...engineArgs];
  return { words: [name, "--home", home, ...rest, ...behind], settings };
}

function refuse(words: readonly string[], flags: FlagValues): void {
  if (flags.home !== undefined) {
    throw new CliError("The data folder of a service is named before --: --home.", EXIT.usage);
  }
  const secret = (Object.keys(flags) as FieldKey[]).find((key) => fieldOf(key).secret === true);
  const address = words.find((word) => maskUrl(word) !== word);
  if (secret === undefined && address === undefined) return;
  const what = secret === undefined ? "an address with a password" : fieldOf(secret).name;
  throw new CliError(
    `A service's arguments can be read by everybody on this machine: put ${what} into config.json \
of its data folder instead.`,
    EXIT.usage,
  );
}

/** The variables of this shell that the service will not have. */
export function variablesLeftBehind(): string[] {
  const isSetting = (name: string) => name.startsWith("LLMLB_") && name !== "LLMLB_HOME";
  return Object.keys(environment()).filter(isSetting).sort();
}
