import type { Command } from "commander";
import { printLine } from "../terminal/output.ts";
import { type CandidateWord, completionOf } from "./completion.ts";
import { namesOf } from "./names.ts";

/**
 * Prints what may stand at the cursor, a line each: the word, a tab and what it is. `:files` and
 * `:folders` are lines that ask the shell for these.
 */
export async function printCompletion(program: Command, words: readonly string[]): Promise<void> {
  const { candidates, also, prefix = "" } = completionOf(program, words);
  const typed = words.at(-1) ?? "";
  const isShells = also === "files" || also === "folders";
  const names = also === undefined || isShells ? [] : await namesOf(also);
  const all: CandidateWord[] = [...candidates, ...names.map((name) => ({ word: prefix + name }))];
  for (const { word, description } of all) {
    if (!word.startsWith(typed)) continue;
    const text = description === undefined ? word : `${word}\t${description.split("\n")[0]}`;
    // A name of some server must not be several lines.
    printLine(text.replaceAll("\n", " "));
  }
  if (isShells) printLine(`:${also}`);
}
