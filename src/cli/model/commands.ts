import type { Command } from "commander";
import { addClientCommand, type ClientFlags, connect } from "../client/options.ts";
import type { Invocation } from "../invocation.ts";
import { collectValues } from "../options/repeatable.ts";
import { addRunSettingFlags, RUN_SETTING_FLAGS, runSettingsOf } from "../options/runsettings.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { abortOnInterrupt } from "../process/signals.ts";
import type { ListFormat } from "./model.ts";
import type { PriceFlags } from "./price.ts";

const EXAMPLES = `
Examples:
  llmlb model add Qwen/Qwen3-0.6B-GGUF                all its files; each node takes what fits
  llmlb model add Qwen/Qwen3-0.6B-GGUF:Q8_0 --alias qwen
  llmlb model add https://huggingface.co/Qwen/Qwen3-0.6B-GGUF/blob/main/Qwen3-0.6B-Q8_0.gguf
  llmlb model list --search qwen
  llmlb model set qwen --ctx-size 8192 --parallel 2 --arg=--swa-full
  llmlb model pull qwen                               fetch it now; watch how far the nodes are
  llmlb model rm qwen`;

const RUN_HELP = `
How it runs on nodes, with none for what is to be as nodes are set up:
${RUN_SETTING_FLAGS}`;
const FORMATS: ListFormat[] = ["table", "json", "ids"];

/** Adds `llmlb model` and its commands. */
export function addModelCommands(program: Command, invocation: Invocation): void {
  const group = program
    .command("model")
    .helpGroup("Use:")
    .usage("<command> [options]")
    .description("Manage the models of a running llmlb")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  addAdd(group, invocation);
  addList(group, invocation);
  addClientCommand(group, "show", "Show one model, its files and names")
    .argument("<model>", "Its id or another of its names")
    .action(async (which: string, flags: ClientFlags) => {
      const { showRegisteredModel } = await import("./model.ts");
      invocation.exitCode = await showRegisteredModel(connect(flags), which);
    });
  addSet(group, invocation);
  addClientCommand(group, "pull", "Let nodes fetch a registered model now, and watch them")
    .argument("<model>", "Its id or another of its names")
    .option("--detach", "Do not wait for them")
    .action(async (which: string, flags: ClientFlags & { detach?: true }) => {
      const { pullOnNodes } = await import("./pull.ts");
      const options = { detach: flags.detach === true, signal: abortOnInterrupt(EXIT.interrupted) };
      invocation.exitCode = await pullOnNodes(connect(flags), which, options);
    });
  addClientCommand(group, "price", "Show what models cost, or set it: for a million tokens")
    .argument("[model]", "A name, with * for any characters, e.g. openai:*")
    .option("--input <amount>", "Of input tokens")
    .option("--output <amount>", "Of output tokens")
    .option("--cached <amount>", "Of input tokens that were in the cache (default: as --input)")
    .option("--clear", "It costs nothing any more")
    .action(async (which: string | undefined, flags: ClientFlags & PriceFlags) => {
      const { modelPrice } = await import("./price.ts");
      invocation.exitCode = await modelPrice(connect(flags), which, flags);
    });
  addClientCommand(group, "rm", "Forget a model; nodes delete what they fetched of it")
    .argument("<model>", "Its id or another of its names")
    .action(async (which: string, flags: ClientFlags) => {
      const { removeRegisteredModel } = await import("./model.ts");
      invocation.exitCode = await removeRegisteredModel(connect(flags), which);
    });
}

interface BodyFlags extends ClientFlags, Record<string, unknown> {
  file?: string;
  alias?: string[];
  name?: string;
  node?: string[];
  replicas?: string;
}

function addAdd(group: Command, invocation: Invocation): void {
  const add = addClientCommand(group, "add", "Register a model of the Hugging Face hub")
    .argument("<repo>", "org/name, org/name:QUANT or its address")
    .option("--file <path>", "One file of it, with all its parts");
  bodyOptions(add).action(async (repo: string, flags: BodyFlags) => {
    const { addRegisteredModel } = await import("./model.ts");
    const filename = flags.file === undefined ? {} : { filename: flags.file };
    const body = { repo, ...filename, ...bodyOf(flags) };
    invocation.exitCode = await addRegisteredModel(connect(flags), body);
  });
}

function addSet(group: Command, invocation: Invocation): void {
  const set = addClientCommand(
    group,
    "set",
    "Change a model's names, the nodes that have it, and how it runs",
  );
  set.argument("<model>", "Its id or another of its names");
  bodyOptions(set).action(async (which: string, flags: BodyFlags) => {
    const { changeRegisteredModel } = await import("./model.ts");
    const body = bodyOf(flags);
    if (Object.keys(body).length === 0) {
      throw new CliError(
        "Say what to change: --alias, --name, --node, --replicas, --ctx-size …",
        EXIT.usage,
      );
    }
    invocation.exitCode = await changeRegisteredModel(connect(flags), which, body);
  });
}

function bodyOptions(command: Command): Command {
  return addRunSettingFlags(command)
    .option("--alias <name>", "Short name for clients; may be repeated", collectValues)
    .option("--name <name>", "Name to show")
    .option(
      "--node <name>",
      "Node that shall have it; may be repeated (default: all)",
      collectValues,
    )
    .option("--replicas <number>", "How many nodes shall have it (default: all)")
    .addHelpText("after", RUN_HELP);
}

function bodyOf({ alias, name, node, replicas, ...run }: BodyFlags) {
  const settings = runSettingsOf(run, { nullable: true });
  return {
    ...(settings === undefined ? {} : { settings }),
    ...(alias === undefined ? {} : { aliases: alias }),
    ...(name === undefined ? {} : { display_name: name }),
    ...(node === undefined ? {} : { nodes: node }),
    ...(replicas === undefined ? {} : { replicas: parseNumber("--replicas", replicas, 1) }),
  };
}

interface ListFlags extends ClientFlags {
  search?: string;
  limit?: string;
  offset?: string;
  format?: string;
}

function addList(group: Command, invocation: Invocation): void {
  addClientCommand(group, "list", "Show the registered models")
    .option("--search <text>", "Only those with it in their id, names or tags")
    .option("--limit <number>", "At most so many")
    .option("--offset <number>", "Leave out so many first")
    .option("--format <format>", `${FORMATS.join(", ")} (default table)`)
    .action(async (flags: ListFlags) => {
      const { listRegisteredModels } = await import("./model.ts");
      const { search, limit, offset, format = "table" } = flags;
      const chosen = FORMATS.find((one) => one === format);
      if (chosen === undefined) {
        throw new CliError(`--format ${format}: must be one of ${FORMATS.join(", ")}`, EXIT.usage);
      }
      const filter = {
        ...(search === undefined ? {} : { search }),
        ...(limit === undefined ? {} : { limit: parseNumber("--limit", limit, 1) }),
        ...(offset === undefined ? {} : { offset: parseNumber("--offset", offset, 0) }),
      };
      invocation.exitCode = await listRegisteredModels(connect(flags), filter, chosen);
    });
}

/** A whole number of at most four digits. Throws `CliError`. */
function parseNumber(flag: string, text: string, min: number): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= min) return Number(text);
  throw new CliError(`${flag} ${text}: must be a whole number from ${min} to 9999`, EXIT.usage);
}
