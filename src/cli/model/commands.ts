import type { Command } from "commander";
import type { GroupFlags, GroupParts } from "../endpoint/commands.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { interruption } from "../process/signals.ts";
import type { ListFormat } from "./model.ts";

const EXAMPLES = `
Examples:
  llmlb model add Qwen/Qwen3-0.6B-GGUF                all its files; each node takes what fits
  llmlb model add Qwen/Qwen3-0.6B-GGUF:Q8_0 --alias qwen
  llmlb model add https://huggingface.co/Qwen/Qwen3-0.6B-GGUF/blob/main/Qwen3-0.6B-Q8_0.gguf
  llmlb model list --search qwen
  llmlb model pull qwen                               fetch it now; watch how far the nodes are
  llmlb model rm qwen`;

const FORMATS: ListFormat[] = ["table", "json", "ids"];

/** Adds `llmlb model` and its commands. */
export function addModelCommands(program: Command, parts: GroupParts): void {
  const group = program
    .command("model")
    .helpGroup("Use:")
    .usage("<command> [options]")
    .description("Manage the models of a running llmlb")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  addAdd(group, parts);
  addList(group, parts);
  command(group, parts, "show", "Show one model, its files and names")
    .argument("<model>", "Its id or another of its names")
    .action(async (which: string, flags: GroupFlags) => {
      const { showModel } = await import("./model.ts");
      parts.finish(await showModel(parts.connect(flags), which));
    });
  addSet(group, parts);
  command(group, parts, "pull", "Let nodes fetch a registered model now, and watch them")
    .argument("<model>", "Its id or another of its names")
    .option("--detach", "Do not wait for them")
    .action(async (which: string, flags: GroupFlags & { detach?: true }) => {
      const { pullRegistered } = await import("./pull.ts");
      const options = { detach: flags.detach === true, signal: interruption(EXIT.interrupted) };
      parts.finish(await pullRegistered(parts.connect(flags), which, options));
    });
  command(group, parts, "rm", "Forget a model; nodes delete what they fetched of it")
    .argument("<model>", "Its id or another of its names")
    .action(async (which: string, flags: GroupFlags) => {
      const { removeModel } = await import("./model.ts");
      parts.finish(await removeModel(parts.connect(flags), which));
    });
}

interface BodyFlags extends GroupFlags {
  file?: string;
  alias?: string[];
  name?: string;
  node?: string[];
  replicas?: string;
}

function addAdd(group: Command, parts: GroupParts): void {
  const add = command(group, parts, "add", "Register a model of the Hugging Face hub")
    .argument("<repo>", "org/name, org/name:QUANT or its address")
    .option("--file <path>", "One file of it, with all its parts");
  bodyOptions(add).action(async (repo: string, flags: BodyFlags) => {
    const { addModel } = await import("./model.ts");
    const filename = flags.file === undefined ? {} : { filename: flags.file };
    const body = { repo, ...filename, ...bodyOf(flags) };
    parts.finish(await addModel(parts.connect(flags), body));
  });
}

function addSet(group: Command, parts: GroupParts): void {
  const set = command(group, parts, "set", "Change a model's names and the nodes that have it");
  set.argument("<model>", "Its id or another of its names");
  bodyOptions(set).action(async (which: string, flags: BodyFlags) => {
    const { changeModel } = await import("./model.ts");
    const body = bodyOf(flags);
    if (Object.keys(body).length === 0) {
      throw new CliError("Say what to change: --alias, --name, --node, --replicas", EXIT.usage);
    }
    parts.finish(await changeModel(parts.connect(flags), which, body));
  });
}

function bodyOptions(command: Command): Command {
  const collect = (value: string, values: string[] = []) => [...values, value];
  return command
    .option("--alias <name>", "Short name for clients; may be repeated", collect)
    .option("--name <name>", "Name to show")
    .option("--node <name>", "Node that shall have it; may be repeated (default: all)", collect)
    .option("--replicas <number>", "How many nodes shall have it (default: all)");
}

function bodyOf({ alias, name, node, replicas }: BodyFlags) {
  return {
    ...(alias === undefined ? {} : { aliases: alias }),
    ...(name === undefined ? {} : { display_name: name }),
    ...(node === undefined ? {} : { nodes: node }),
    ...(replicas === undefined ? {} : { replicas: number("--replicas", replicas, 1) }),
  };
}

interface ListFlags extends GroupFlags {
  search?: string;
  limit?: string;
  offset?: string;
  format?: string;
}

function addList(group: Command, parts: GroupParts): void {
  command(group, parts, "list", "Show the registered models")
    .option("--search <text>", "Only those with it in their id, names or tags")
    .option("--limit <number>", "At most so many")
    .option("--offset <number>", "Leave out so many first")
    .option("--format <format>", `${FORMATS.join(", ")} (default table)`)
    .action(async (flags: ListFlags) => {
      const { listModels } = await import("./model.ts");
      const { search, limit, offset, format = "table" } = flags;
      const chosen = FORMATS.find((one) => one === format);
      if (chosen === undefined) {
        throw new CliError(`--format ${format}: must be one of ${FORMATS.join(", ")}`, EXIT.usage);
      }
      const filter = {
        ...(search === undefined ? {} : { search }),
        ...(limit === undefined ? {} : { limit: number("--limit", limit, 1) }),
        ...(offset === undefined ? {} : { offset: number("--offset", offset, 0) }),
      };
      parts.finish(await listModels(parts.connect(flags), filter, chosen));
    });
}

function command(group: Command, parts: GroupParts, name: string, description: string): Command {
  const made = group.command(name).description(description).option("--json", "Print JSON");
  return parts.addServerOptions(made);
}

function number(flag: string, text: string, min: number): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= min) return Number(text);
  throw new CliError(`${flag} ${text}: must be a whole number from ${min} to 9999`, EXIT.usage);
}
