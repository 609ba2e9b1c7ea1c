import type { Command } from "commander";
import { flagName } from "../../config/fields/field.ts";
import { FIELD_KEYS, fieldOf } from "../../config/fields.ts";
import { closestWord } from "../../lib/closestword.ts";
import { CliError, EXIT } from "../process/exit.ts";

const OR = new Intl.ListFormat("en", { type: "disjunction" });

/**
 * Throws `CliError` for arguments that a command does not take: with the groups that have a command
 * of that name (`show`: `llmlb model show`), else with the most similar command.
 */
export function refuseExtra(extra: string[], command: Command): void {
  const [word] = extra;
  if (word === undefined) return;
  const names = command.commands.map((sub) => sub.name());
  const groups = command.commands.filter((sub) => sub.commands.some((one) => one.name() === word));
  const similar =
    groups.length > 0
      ? OR.format(groups.map((group) => `llmlb ${group.name()} ${word}`))
      : closestWord(word, names);
  const problem = names.length > 0 ? `There is no command ${word}` : `${word} is not expected here`;
  const advice = similar === undefined ? "" : `: did you mean ${similar}?`;
  const shown = names.length > 0 ? "llmlb" : `llmlb ${command.name()}`;
  throw new CliError(`${problem}${advice}\n${helpHint(shown)}`, EXIT.usage);
}

/** Has a command and all below it tell mistakes with what was meant, and where its help is. */
export function explainMistakes(command: Command, path = command.name()): void {
  command
    .showHelpAfterError(helpHint(path))
    .configureOutput({ outputError: (text, write) => write(withSuggestion(text, command)) });
  for (const sub of command.commands) {
    // Without a command it serves.
    explainMistakes(sub, sub.name() === "serve" ? path : `${path} ${sub.name()}`);
  }
}

function helpHint(command: string): string {
  return `Run ${command} --help to see what there is.`;
}

/** Commander's message about a mistake, with the most similar flag or where it belongs. */
function withSuggestion(text: string, command: Command): string {
  const message = text
    // Commander finds the only flag that is no setting similar to much.
    .replace("\n(Did you mean --help?)", "")
    .replace(/\n\(Did you mean (.+)\?\)/, ": did you mean $1?")
    .replace(
      /command-argument value '(.*)' is invalid for argument '(.*)'\. Allowed choices are (.*)\./,
      "$2 $1: must be one of $3",
    );
  const [, option] = /unknown option '(--?[^'=]+)/.exec(message) ?? [];
  if (option === undefined || message.includes("did you mean")) return message;
  if (FIELD_KEYS.some((key) => flagName(fieldOf(key)) === option)) {
    return `${message.trimEnd()}: it is no option of this command.\n`;
  }
  const similar = similarFlag(option, command);
  if (similar !== undefined) return `${message.trimEnd()}: did you mean ${similar}?\n`;
  if (!command.usage().includes("llama-server")) return message;
  return `${message.trimEnd()}. Arguments of llama-server stand after --: llmlb … -- ${option} …\n`;
}

/** The most similar flag; a letter is similar only to itself in the other case. */
function similarFlag(option: string, command: Command): string | undefined {
  const all = [command, command.parent].flatMap((one) => one?.options ?? []);
  if (option.startsWith("--"))
    return closestWord(
      option,
      all.flatMap(({ long }) => long ?? []),
    );
  const shorts = all.flatMap(({ short }) => short ?? []);
  return shorts.find((short) => short.toLowerCase() === option.toLowerCase());
}
