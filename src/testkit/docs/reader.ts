import { linkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import { PageMachine, type ScriptResult } from "./machine.ts";
import type { PageNetwork } from "./network.ts";
import { firstMissing } from "./output.ts";
import { type Block, type Command, commandsOf } from "./page.ts";

const ROOT = join(import.meta.dir, "../../..");

/** The machine that a page is about where it does not say another. */
const HERE = "here";

/** Blocks that are commands or programs. */
const RUN = new Set(["sh", "console", "ts", "js", "python"]);
/** Blocks that are what the block above them prints. */
const OUTPUT = new Set(["text", "json"]);
/** Questions are asked again until the answer is the page's: endpoints need a moment. */
const ANSWER_MS_MAX = 20_000;
const QUESTIONS = [
  /^llmlb (status|ps|list|history|usage|logs|doctor)/,
  /^llmlb (endpoint|model|key|user|backend|audit) (list|show|test|tokens|devices)/,
  /^curl (?!.*( -d| -X|--data))/,
];

export interface ReaderOptions {
  /** A folder for the homes of the page's machines. */
  folder: string;
  network: PageNetwork;
  /** Variables of all its shells. */
  env: Record<string, string>;
  /** Files that lie in each machine's home: name → where they are. */
  files: ReadonlyMap<string, string>;
}

/** Somebody who does what a page says, line by line. `done` ends what it started. */
export class PageReader {
  /** Blocks that were run. */
  ran = 0;
  readonly #options: ReaderOptions;
  readonly #machines = new Map<string, PageMachine>();
  /** Beginnings of keys and the like → the last one that was printed. */
  readonly #secrets = new Map<string, string>();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /**
   * Follows a page, up to the first block that needs a program which is not on this machine. Throws
   * at the first one that does not do what the page says.
   */
  async follow(blocks: Block[]): Promise<void> {
    for (const [index, block] of blocks.entries()) {
      if (block.marks.has("not run")) continue;
      const needed = block.language === "python" ? "python3" : block.marks.get("needs");
      if (needed !== undefined && Bun.which(needed) === null) return;
      const next = blocks[index + 1];
      const hasOutput = next !== undefined && isOutput(next, block);
      try {
        if (block.marks.has("file")) this.#write(block);
        else if (isRun(block)) await this.#run(block, hasOutput ? next.text : undefined);
      } catch (cause) {
        throw new Error(`line ${block.line}: ${(cause as Error).message}`, { cause });
      }
    }
  }

  async done(): Promise<void> {
    for (const machine of this.#machines.values()) await machine.kill();
  }

  async #run(block: Block, output: string | undefined): Promise<void> {
    this.ran += 1;
    const name = block.marks.get("on") ?? HERE;
    const code = Number(block.marks.get("ends with") ?? 0);
    for (const command of commandsOf(block)) {
      const shown = command.output ?? output;
      const script = this.#filledIn(this.#options.network.toHere(command.script, name));
      const machine = this.#machine(name);
      const start = scriptOf(block, script, machine);
      const isQuestion = script
        .trim()
        .split("\n")
        .every((line) => QUESTIONS.some((question) => question.test(line)));
      let result = await machine.run(start);
      const fault = () => faultOf(result, { command, shown, code });
      if (fault() !== undefined && shown !== undefined && isQuestion) {
        await eventually(async () => {
          result = await machine.run(start);
          return fault() === undefined || undefined;
        }, ANSWER_MS_MAX).catch(() => undefined);
      }
      this.#remember(result.output);
      const wrong = fault();
      if (wrong !== undefined) throw new Error(wrong);
    }
  }

  #write(block: Block): void {
    const name = block.marks.get("on") ?? HERE;
    const text = this.#filledIn(this.#options.network.toHere(block.text, name));
    this.#machine(name).write(block.marks.get("file") ?? "", text);
  }

  #machine(name: string): PageMachine {
    const known = this.#machines.get(name);
    if (known !== undefined) return known;
    const { folder, network, env, files } = this.#options;
    const machine = new PageMachine(folder, name, network, env);
    for (const [file, place] of files) linkOrLead(place, join(machine.home, file));
    symlinkSync(join(ROOT, "node_modules"), join(machine.home, "node_modules"));
    this.#machines.set(name, machine);
    return machine;
  }

  /** Puts what was printed before in the place of `sk_…`, `enrol_…` and the like. */
  #filledIn(text: string): string {
    return text.replace(/\b([a-z]+[_:])…/g, (_, start: string) => {
      const secret = this.#secrets.get(start);
      if (secret === undefined) throw new Error(`nothing printed so far begins with ${start}`);
      return secret;
    });
  }

  #remember(output: string): void {
    for (const { 0: secret, 1: start = "" } of output.matchAll(/\b([a-z]+[_:])[\w-]{16,}/g)) {
      this.#secrets.set(start, secret);
    }
  }
}

/** Whether a block is a command or a program that is run. */
export function isRun({ language, marks }: Block): boolean {
  return RUN.has(language) && !marks.has("not run") && !marks.has("file");
}

/** Whether a block is what the one above it prints. */
export function isOutput(block: Block, above: Block | undefined): boolean {
  const isMarked = block.marks.has("not run") || block.marks.has("file");
  return OUTPUT.has(block.language) && !isMarked && above !== undefined && RUN.has(above.language);
}

interface Expected {
  command: Command;
  shown: string | undefined;
  code: number;
}

function faultOf({ code, output, failedLine }: ScriptResult, expected: Expected) {
  const line = expected.command.line + failedLine;
  if (code !== expected.code) return `the command at line ${line} ended with ${code}:\n${output}`;
  if (expected.shown === undefined) return undefined;
  const missing = firstMissing(expected.shown, output);
  if (missing === undefined) return undefined;
  return `it does not print what the page shows: ${missing}\nbut:\n${output}`;
}

/** A program of the page becomes a file that the shell runs. */
function scriptOf({ language, line }: Block, text: string, machine: PageMachine): string {
  if (language === "sh" || language === "console") return text;
  const file = `~/.try/line${line}.${language === "python" ? "py" : language}`;
  machine.write(file, text);
  return `${language === "python" ? "python3" : `'${process.execPath}'`} ${file}\n`;
}

function linkOrLead(place: string, link: string): void {
  try {
    linkSync(place, link);
  } catch {
    symlinkSync(place, link); // on another disk
  }
}
