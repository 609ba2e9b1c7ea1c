import type { Argument, Command, Option } from "commander";
import { flagName } from "../../config/fields/field.ts";
import { FIELD_KEYS, fieldOf } from "../../config/fields.ts";
import { choicesOf } from "../../config/values/schema.ts";

/** A word that may stand at the cursor. */
export interface CandidateWord {
  word: string;
  description?: string;
}

/** What may stand at the cursor of a command line. */
export interface Completion {
  candidates: CandidateWord[];
  /** Also what the shell knows, or a running llmlb. */
  also?: "files" | "folders" | "models" | "endpoints";
  /** Stands before each name of `also` in the word, as in `--model=`. */
  prefix?: string;
}

const NOTHING: Completion = { candidates: [] };

/**
 * What may stand at the cursor, of the words after the program's name; the last one is that at the
 * cursor, and may be empty. Pure. The first that is so:
 *
 * 1. behind `--`, which ends our arguments: files
 * 2. behind an option that takes a value, or `--option=`: its values
 * 3. the word begins with `-`: the options of the command
 * 4. no command is named, or commands are below it: their names
 * 5. an argument of the command: its choices, or names of its kind
 */
export function completionOf(program: Command, words: readonly string[]): Completion {
  const word = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  if (before.includes("--")) return { candidates: [], also: "files" };
  const place = placeOf(program, before);
  if (place.open !== undefined) return valuesOf(place.open, "");
  const [, prefix, name = ""] = /^((--[\w-]+)=)/.exec(word) ?? [];
  if (prefix !== undefined) {
    const option = optionNamed([place.command, program, ...program.commands], name);
    return option === undefined ? NOTHING : valuesOf(option, prefix);
  }
  if (word.startsWith("-")) return { candidates: place.isHelp ? [] : optionsOf(place.command) };
  if (place.command.commands.length > 0 && place.arguments === 0) {
    return { candidates: commandsOf(place.command, place.isRoot && !place.isHelp) };
  }
  const { registeredArguments: all } = place.command;
  const argument = all[place.arguments] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  return argument === undefined || place.isHelp ? NOTHING : valuesOf(argument, "");
}

/** Where the words before the cursor lead. */
interface Place {
  /** The command that is named; the program itself, as long as none is. */
  command: Command;
  isRoot: boolean;
  /** Behind `help`: names of commands only. */
  isHelp: boolean;
  /** How many of the command's arguments are there. */
  arguments: number;
  /** The option whose value is to come. */
  open?: Option;
}

function placeOf(program: Command, before: readonly string[]): Place {
  const place: Place = { command: program, isRoot: true, isHelp: false, arguments: 0 };
  for (const word of before) {
    if (place.open !== undefined) delete place.open;
    else if (word.startsWith("-") && word !== "-") {
      const known = optionNamed([place.command, program, ...program.commands], word);
      if (known !== undefined && (known.required || known.optional)) place.open = known;
    } else if (place.isRoot && word === "help") place.isHelp = true;
    else {
      const below = place.command.commands.find((one) => one.name() === word);
      if (below === undefined) place.arguments += 1;
      else Object.assign(place, { command: below, isRoot: false });
    }
  }
  return place;
}

/** The option that a word such as `-m` or `--model` names, in the first command that has it. */
function optionNamed(commands: Command[], word: string): Option | undefined {
  const all = commands.flatMap((command) => command.options);
  return all.find((option) => option.short === word || option.long === word);
}

function optionsOf(command: Command): CandidateWord[] {
  const serve = command.parent === null ? command.commands.find(isServe) : undefined;
  const all = [...command.options, ...(serve?.options ?? [])];
  const help = { word: "--help", description: "Show help" };
  const long = all.filter((one) => one.long !== undefined && one.long !== "--help");
  const candidates = long.map((one) => ({
    word: one.long ?? "",
    description: one.description,
  }));
  return [...candidates, help];
}

function isServe(command: Command): boolean {
  return command.name() === "serve";
}

function commandsOf(command: Command, isRoot: boolean): CandidateWord[] {
  const visible = command.createHelp().visibleCommands(command);
  const candidates = visible.map((one) => ({ word: one.name(), description: one.description() }));
  if (!isRoot) return candidates;
  return [
    ...candidates,
    { word: "help", description: "Show the help of a command" },
    { word: "version", description: "Show the versions of llmlb, Bun and llama.cpp" },
  ];
}

/** What its placeholder asks for: `<file>`, `<folder>`, `<model>`, … */
const KINDS: [RegExp, Completion["also"]][] = [
  [/file|path/, "files"],
  [/folder/, "folders"],
  [/--model <|^model$|<model>/, "models"],
  [/--endpoint <name>|^endpoint$|^endpoint or id$/, "endpoints"],
];

function valuesOf(taker: Option | Argument, prefix: string): Completion {
  const text = "flags" in taker ? taker.flags : taker.name();
  const choices = taker.argChoices ?? ("long" in taker ? settingChoices(taker.long) : []);
  const candidates = choices.map((choice) => ({ word: prefix + choice }));
  const also = KINDS.find(([pattern]) => pattern.test(text))?.[1];
  return { candidates, ...(also === undefined ? {} : { also, prefix }) };
}

/** The words that a setting can be. */
function settingChoices(flag: string | null | undefined): readonly string[] {
  const field = FIELD_KEYS.map(fieldOf).find((one) => flagName(one) === flag);
  return field === undefined ? [] : choicesOf(field.schema("/"));
}
