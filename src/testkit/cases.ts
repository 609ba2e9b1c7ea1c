import { readFileSync } from "node:fs";

/** A request to the built-in model and the answer it gives at temperature 0. */
export interface Case {
  task: string;
  request: Record<string, unknown> & { messages: Record<string, unknown>[] };
  expected: { content: string } | { tool_calls: { name: string; arguments: object }[] };
}

const FILE = new URL("../../fixtures/llmlb-tiny/cases.jsonl", import.meta.url);

/** Every case of the built-in model, in the order of the file. */
export function readCases(): Case[] {
  const lines = readFileSync(FILE, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Case);
}

/** The first case of a task. */
export function caseOf(task: string): Case {
  const found = readCases().find((one) => one.task === task);
  if (found === undefined) throw new Error(`there is no case of ${task}`);
  return found;
}
