import { flagName } from "../../config/fields/field.ts";
import { FIELD_KEYS, fieldOf } from "../../config/fields.ts";

/** The arguments of the program, in the order in which commands take them. */
export interface CommandLine {
  /** The command and its options. */
  own: string[];
  /** Arguments meant for llama-server; undefined if there are none and no `--`. */
  engineArgs: string[] | undefined;
}

/** Arguments of llama-server that mean nothing else here and take a value: they need no `--`. */
const ENGINE_OPTIONS = new Set(
  "-c --ctx-size -ngl --gpu-layers --n-gpu-layers -np --parallel -t --threads -b --batch-size \
-ub --ubatch-size -ctk --cache-type-k -ctv --cache-type-v -dev --device -sm --split-mode \
-ts --tensor-split -mg --main-gpu".split(" "),
);

/** The commands that start engines, or say that they start none. */
const SERVING = new Set(["serve", "balancer", "node", "config"]);

/** Our options without a value. */
const SWITCHES = new Set([
  ...["-h", "--help", "-V", "--version", "--json", "--list-devices"],
  ...FIELD_KEYS.map(fieldOf)
    .filter(({ flags }) => flags !== undefined && !flags.includes("<"))
    .map(flagName),
]);

/**
 * Reads the arguments as people write them: options may stand before the command, `help` and
 * `version` are commands, and well-known arguments of llama-server need no `--` before them.
 * `commands` has the names of all commands, and of the commands below each.
 */
export function readCommandLine(
  argv: string[],
  commands: ReadonlyMap<string, readonly string[]>,
): CommandLine {
  const separator = argv.indexOf("--");
  const behind = separator < 0 ? undefined : argv.slice(separator + 1);
  const own = commandFirst(separator < 0 ? argv : argv.slice(0, separator), commands);
  const [command = "serve"] = own;
  if (command === "version") return { own: ["--version"], engineArgs: behind };
  if (command === "help") return { own: helpOf(own.slice(1), commands), engineArgs: behind };
  if (commands.has(command) && !SERVING.has(command)) return { own, engineArgs: behind };
  const { ours, theirs } = parted(own);
  const engineArgs = [...theirs, ...(behind ?? [])];
  return { own: ours, engineArgs: engineArgs.length > 0 ? engineArgs : behind };
}

/** How one asks for the help of a command; one that there is not is refused like any other. */
function helpOf(words: string[], commands: ReadonlyMap<string, readonly string[]>): string[] {
  const [command = "", below = ""] = words.filter((word) => !word.startsWith("-"));
  if (["", "help", "version"].includes(command)) return ["--help"];
  const all = commands.get(command);
  if (all === undefined) return [command];
  const isWrong = below !== "" && all.length > 0 && !all.includes(below);
  return isWrong ? [command, below] : [...words, "--help"];
}

/** Moves options before the command behind it, and behind the command below it if it has some. */
function commandFirst(args: string[], commands: ReadonlyMap<string, readonly string[]>): string[] {
  let at = 0;
  while (args[at]?.startsWith("-")) at += takesValue(args[at] ?? "") ? 2 : 1;
  const [command, next] = args.slice(at);
  if (at === 0 || command === undefined) return args;
  const isKnown = command === "help" || command === "version" || commands.has(command);
  if (!isKnown) return args;
  const words = commands.get(command)?.includes(next ?? "") ? 2 : 1;
  return [...args.slice(at, at + words), ...args.slice(0, at), ...args.slice(at + words)];
}

/** Parts our own options from those of llama-server. */
function parted(args: string[]): { ours: string[]; theirs: string[] } {
  const ours: string[] = [];
  const theirs: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    const [name = "", value] = arg.startsWith("--") ? splitOption(arg) : [arg];
    const next = value ?? args[at + 1];
    if (ENGINE_OPTIONS.has(name) && next !== undefined) {
      theirs.push(name, next);
      if (value === undefined) at += 1;
    } else {
      ours.push(arg);
      if (arg.startsWith("-") && takesValue(arg) && at + 1 < args.length) {
        at += 1;
        ours.push(args[at] ?? "");
      }
    }
  }
  return { ours, theirs };
}

function takesValue(option: string): boolean {
  return !option.includes("=") && !SWITCHES.has(option);
}

function splitOption(option: string): [string, string | undefined] {
  const at = option.indexOf("=");
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)];
}
