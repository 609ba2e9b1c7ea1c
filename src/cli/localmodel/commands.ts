import type { Command } from "commander";
import { environment } from "../../config/environment.ts";
import type { FieldKey } from "../../config/fields.ts";
import { loadSettings } from "../../config/precedence.ts";
import type { Settings } from "../../config/settings.ts";
import { trustAuthorities } from "../../http/client/trust.ts";
import type { Invocation } from "../invocation.ts";
import { addSettingFlags, settingFlagValues } from "../options/settingflags.ts";
import { EXIT } from "../process/exit.ts";
import { abortOnInterrupt } from "../process/signals.ts";

const GROUP = "Models of this machine:";

const PULL_SETTINGS: FieldKey[] = [
  ...(["hubUrl", "hubToken", "originAllowlist"] as const),
  ...(["maxDownloadRateBytes", "modelsDir", "modelSources", "home"] as const),
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

/** Flags of the commands; those of settings are there by the name of the flag. */
interface LocalFlags extends Record<string, unknown> {
  json?: true;
  file?: string;
}

interface ResidencyFlags {
  keepAlive?: string;
  endpoint?: string;
}

/** Adds the commands that work on the models folder of this machine, without any server. */
export function addLocalModelCommands(program: Command, invocation: Invocation): void {
  const pull = addLocalCommand(
    program,
    "pull",
    "Fetch a model from the Hugging Face hub, without a server",
  )
    .argument("<repo>", "org/name, org/name:QUANT or its address")
    .option("--file <path>", "One file of it, with all its parts")
    .addHelpText("after", PULL_NOTES);
  addSettingFlags(pull, PULL_SETTINGS, "listed").action(
    async (reference: string, flags: LocalFlags) => {
      const { pullLocalModel } = await import("./pull.ts");
      const { file, json } = flags;
      const model = { reference, ...(file === undefined ? {} : { filename: file }) };
      const signal = abortOnInterrupt(EXIT.interrupted);
      const settings = settingsFrom(flags, invocation.engineArgs);
      invocation.exitCode = await pullLocalModel({ model, settings, json: json === true, signal });
    },
  );

  const list = addLocalCommand(
    program,
    "list",
    "Show the models that lie here, and what is wrong with any",
  ).alias("ls");
  addSettingFlags(list, ["modelsDir", "modelSources", "home"], "listed").action(
    async (flags: LocalFlags) => {
      const { listLocalModels } = await import("./list.ts");
      invocation.exitCode = await listLocalModels(
        settingsFrom(flags, undefined),
        flags.json === true,
      );
    },
  );

  const rm = addLocalCommand(program, "rm", "Remove a model from this machine")
    .argument("<model>", "Its name, or name:QUANT")
    .addHelpText("after", RM_NOTES);
  addSettingFlags(rm, ["modelsDir", "modelSources", "home"], "listed").action(
    async (name: string, flags: LocalFlags) => {
      const { removeLocalModel } = await import("./rm.ts");
      const signal = abortOnInterrupt(EXIT.interrupted);
      const settings = settingsFrom(flags, undefined);
      invocation.exitCode = await removeLocalModel({
        name,
        settings,
        json: flags.json === true,
        signal,
      });
    },
  );

  addResidencyCommands(program, invocation);
  const ps = addLocalCommand(
    program,
    "ps",
    "Show which models are loaded by what runs from this home",
  );
  addSettingFlags(ps, ["home"], "listed").action(async (flags: LocalFlags) => {
    const { listLoadedModels } = await import("./ps.ts");
    invocation.exitCode = await listLoadedModels(
      settingsFrom(flags, undefined),
      flags.json === true,
    );
  });
}

/** Which models are loaded; `llmlb stop MODEL`, the fourth, is beside `llmlb stop`. */
function addResidencyCommands(program: Command, invocation: Invocation): void {
  const commands = {
    load: "Load a model before its first request",
    pin: "Load a model and keep it, whoever else needs its memory; also after a restart",
    unpin: "Let a pinned model be ended for others",
  };
  for (const [action, description] of Object.entries(commands)) {
    const command = program
      .command(action)
      .helpGroup(GROUP)
      .description(description)
      .argument("<model>", "Its name, as llmlb status shows it");
    if (action === "load") {
      command.option("--keep-alive <time>", "How long it stays after its last request: 5m, -1");
    }
    command.option("--endpoint <name>", "The endpoint of a balancer that is meant");
    addSettingFlags(command, ["home"], "listed").action(
      async (model: string, { keepAlive, endpoint, ...flags }: LocalFlags & ResidencyFlags) => {
        const { changeResidency } = await import("./residency.ts");
        const change = { action: action as keyof typeof commands, model, keepAlive, endpoint };
        invocation.exitCode = await changeResidency(settingsFrom(flags, undefined), change);
      },
    );
  }
}

function addLocalCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .helpGroup(GROUP)
    .description(description)
    .option("--json", "Print JSON");
}

function settingsFrom(flags: LocalFlags, engineArgs: string[] | undefined): Settings {
  const sources = { flags: settingFlagValues(flags, engineArgs), env: environment() };
  const { settings } = loadSettings(sources);
  trustAuthorities(settings.tlsCa);
  return settings;
}
