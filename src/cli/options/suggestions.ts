import type { Command } from "commander";
import { flagName } from "../../config/fields/field.ts";
import { FIELD_KEYS, fieldOf } from "../../config/fields.ts";
import { closestWord } from "../../lib/closestword.ts";
import { CliError, EXIT } from "../process/exit.ts";

/** Throws `CliError` for arguments that a command does not take, with the most similar command. */
export function refuseExtra(extra: string[], command: Command): void {
  const [word] = extra;
  if (word === undefined) return;
  const names = command.commands.map((sub) => sub.name());
  const similar = closestWord(word, names);
  const problem = names.length > 0 ? `There is no command ${word}` : `${word} is not expected here`;
  const advice = similar === undefined ? "" : `: did you mean ${similar}?`;
  const shown = names.length > 0 ? "llmlb" : `llmlb ${command.name()}`;
  const help = `Run ${shown} --help to see what there is.`;
  throw new CliError(`${problem}${advice}\n${help}`, EXIT.usage);
}

/**
 * Commander's message about an unknown option, with the most similar flag of a setting added, or
 * where it may belong.
 */
export function withSuggestion(text: string): string {
  // Commander finds the only flag that is no setting similar to much.
  const message = text.replace("\n(Did you mean --help?)", "");
  const [, option] = /unknown option '(--?[^'=]+)/.exec(message) ?? [];
  if (option === undefined || message.includes("Did you mean")) return message;
  const names = FIELD_KEYS.map((key) => flagName(fieldOf(key)));
  if (names.includes(option)) {
    return `${message.trimEnd()}: it is no option of this command.\n`;
  }
  const similar = closestWord(option, names);
  if (similar !== undefined) return `${message.trimEnd()}: did you mean ${similar}?\n`;
  return `${message.trimEnd()}. Arguments of llama-server stand after --: llmlb … -- ${option} …\n`;
}
