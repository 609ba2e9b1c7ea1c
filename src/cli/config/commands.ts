import type { Command } from "commander";
import { environment } from "../../config/environment.ts";
import { loadSettings } from "../../config/precedence.ts";
import type { Invocation } from "../invocation.ts";
import { settingsOfMode } from "../options/modesettings.ts";
import { addSettingFlags, settingFlagValues } from "../options/settingflags.ts";
import { printJson } from "../terminal/output.ts";

const SCHEMA_NOTES = `
Example:
  llmlb config schema > ~/.llmlb/config.schema.json
and in config.json, as its first line:
  "$schema": "./config.schema.json",`;

/** Adds `llmlb config`. */
export function addConfigCommands(program: Command, invocation: Invocation): void {
  const config = program
    .command("config")
    .helpGroup("Look after:")
    .usage("[--json] [options of serve]")
    .description("Show the settings in effect and where each comes from")
    .option("--json", "Print JSON")
    .addHelpText("after", () => `\nAll options of serve may be given, to see what they do.`);
  addSettingFlags(config, settingsOfMode("standalone"), "hidden");
  config
    .command("schema")
    .description("Print the JSON schema of config.json, for editors")
    .addHelpText("after", SCHEMA_NOTES)
    .action(async () => {
      const { configSchema } = await import("../../config/configschema.ts");
      printJson(configSchema());
    });
  config.action(async (options: Record<string, unknown>) => {
    const { printConfig } = await import("./config.ts");
    const flags = settingFlagValues(options, invocation.engineArgs);
    printConfig(loadSettings({ flags, env: environment() }), options.json === true);
  });
}
