import { type Command, Option } from "commander";
import { environment } from "../../config/environment.ts";
import { envName, type Field } from "../../config/fields/field.ts";
import { FIELDS, type FieldKey } from "../../config/fields.ts";
import { loadSettings } from "../../config/precedence.ts";
import type { Settings } from "../../config/settings.ts";
import { flagsOf } from "../flags.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { interruption } from "../process/signals.ts";

const GROUP = "Models of this machine:";

const PULL_SETTINGS: FieldKey[] = [
  ...(["hubUrl", "hubToken", "originAllowlist"] as const),
  ...(["maxDownloadRateBytes", "modelsDir", "home"] as const),
];

const PULL_NOTES = `
What is fetched:
  A file that is named, with all its parts; else the quantization that is named; else the best that
  fits into the free memory, Q4_K_M before others. An image projector comes along. Files are checked
  against the hub's hashes. Ctrl-C leaves what has come: the same command goes on with it.
  No balancer is needed. What runs from this home serves the model as soon as it is there.

Examples:
  llmlb pull Qwen/Qwen3-0.6B-GGUF
  llmlb pull Qwen/Qwen3-0.6B-GGUF:Q8_0
  llmlb pull https://huggingface.co/Qwen/Qwen3-0.6B-GGUF/blob/main/Qwen3-0.6B-Q8_0.gguf
  HF_TOKEN=hf_… llmlb pull meta-llama/gated-GGUF     a model whose licence was accepted
  llmlb pull org/name -- --ctx-size 32768            as much memory as it will run with`;

const RM_NOTES = `
The exact name is wanted, as llmlb list shows it; name:QUANT removes that quantization only. What is
not there is no failure. Models that answer requests, and those being fetched, are left alone.

Examples:
  llmlb rm hf/Qwen/Qwen3-0.6B-GGUF
  llmlb rm hf/Qwen/Qwen3-0.6B-GGUF:Q8_0`;

export interface LocalParts {
  /** What stood behind `--`. */
  rest: string[] | undefined;
  /** Takes the exit code of the command that ran. */
  finish(code: ExitCode): void;
}

interface Flags extends Record<string, unknown> {
  json?: true;
  file?: string;
}

/** Adds the commands that work on the models folder of this machine, without any server. */
export function addLocalCommands(program: Command, { rest, finish }: LocalParts): void {
  const pull = command(program, "pull", "Fetch a model from the Hugging Face hub, without a server")
    .argument("<repo>", "org/name, org/name:QUANT or its address")
    .option("--file <path>", "One file of it, with all its parts")
    .addHelpText("after", PULL_NOTES);
  withSettings(pull, PULL_SETTINGS).action(async (reference: string, flags: Flags) => {
    const { pullModel } = await import("./pull.ts");
    const { file, json } = flags;
    const wanted = { reference, ...(file === undefined ? {} : { filename: file }) };
    const signal = interruption(EXIT.interrupted);
    const settings = settingsFrom(flags, rest);
    finish(await pullModel({ wanted, settings, json: json === true, signal }));
  });

  const list = command(
    program,
    "list",
    "Show the models that lie here, and what is wrong with any",
  );
  withSettings(list, ["modelsDir", "home"]).action(async (flags: Flags) => {
    const { listStored } = await import("./list.ts");
    finish(await listStored(settingsFrom(flags, undefined), flags.json === true));
  });

  const rm = command(program, "rm", "Remove a model from this machine")
    .argument("<model>", "Its name, or name:QUANT")
    .addHelpText("after", RM_NOTES);
  withSettings(rm, ["modelsDir", "home"]).action(async (name: string, flags: Flags) => {
    const { removeStored } = await import("./rm.ts");
    const signal = interruption(EXIT.interrupted);
    const settings = settingsFrom(flags, undefined);
    finish(await removeStored({ name, settings, json: flags.json === true, signal }));
  });

  const ps = command(program, "ps", "Show which models are loaded by what runs from this home");
  withSettings(ps, ["home"]).action(async (flags: Flags) => {
    const { listLoaded } = await import("./ps.ts");
    finish(await listLoaded(settingsFrom(flags, undefined), flags.json === true));
  });
}

function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .helpGroup(GROUP)
    .description(description)
    .option("--json", "Print JSON");
}

/** Adds the flags of settings, with their help. */
function withSettings(command: Command, keys: FieldKey[]): Command {
  for (const key of keys) {
    const field: Field = FIELDS[key];
    if (field.flags === undefined) continue;
    command.addOption(new Option(field.flags, `${field.help} [${envName(field)}]`));
  }
  return command;
}

function settingsFrom(flags: Flags, rest: string[] | undefined): Settings {
  return loadSettings({ flags: flagsOf(flags, rest), env: environment() }).settings;
}
