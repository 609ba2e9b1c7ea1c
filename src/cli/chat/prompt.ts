import { createInterface, type Interface } from "node:readline";
import { listModelNames } from "../client/modelnames.ts";
import type { Server } from "../client/server.ts";
import { reportError } from "../process/errorreport.ts";
import { CliError } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printText } from "../terminal/output.ts";
import { printAnswer } from "./answer.ts";
import { PARAMETER_NAMES, parameterChange } from "./parameters.ts";
import type { ChatSession } from "./session.ts";

const PROMPT = "> ";
const BLOCK = '"""';

const HELP = `  /clear         forget what was said
  /model [name]  show the models, or use another
  /image file    add a picture to the next question
  /set system text, /set parameter name value    for what is asked from now on
  /bye           leave (also Ctrl-D)
  """            begin and end a question of several lines
`;

/** Reads questions from the terminal and prints the answers until the user leaves. */
export async function chatPrompt(session: ChatSession, server: Server): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  await new PromptLoop(session, server, terminal).run();
  terminal.close();
}

class PromptLoop {
  readonly #session: ChatSession;
  readonly #server: Server;
  readonly #terminal: Interface;
  readonly #paint = colorsFor(process.stdout);
  readonly #lines: string[] = [];
  #closed = false;
  #wake: (() => void) | undefined;
  #answering: AbortController | undefined;

  constructor(session: ChatSession, server: Server, terminal: Interface) {
    this.#session = session;
    this.#server = server;
    this.#terminal = terminal;
    terminal.setPrompt(PROMPT);
    terminal.on("line", (line) => {
      this.#lines.push(line);
      this.#wake?.();
    });
    terminal.on("close", () => {
      this.#closed = true;
      this.#answering?.abort();
      this.#wake?.();
    });
    terminal.on("SIGINT", () => this.#interrupt());
  }

  async run(): Promise<void> {
    const { dim, bold } = this.#paint;
    const hint = dim("/help shows what you can do, /bye leaves");
    printText(`${bold(this.#session.model)} ${hint}\n`);
    for (;;) {
      const text = await this.#question();
      if (text === undefined || text === "/bye" || text === "/exit") return;
      if (text === "") continue;
      try {
        if (text.startsWith("/")) await this.#command(text);
        else await this.#answer(text);
      } catch (cause) {
        if (!(cause instanceof CliError)) throw cause;
        reportError(cause); // The session goes on; the next question may work.
      }
    }
  }

  /** One question; undefined once the input has ended. */
  async #question(): Promise<string | undefined> {
    const first = await this.#line(PROMPT);
    if (first === undefined || !first.startsWith(BLOCK)) return first?.trim();
    const lines = [first.slice(BLOCK.length)];
    while (!lines.at(-1)?.endsWith(BLOCK)) {
      const next = await this.#line("… ");
      if (next === undefined) return undefined;
      lines.push(next.trimEnd());
    }
    return lines.join("\n").slice(0, -BLOCK.length).trim();
  }

  async #line(prompt: string): Promise<string | undefined> {
    if (this.#lines.length === 0 && !this.#closed) {
      this.#terminal.setPrompt(prompt);
      this.#terminal.prompt();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines.shift();
  }

  async #answer(text: string): Promise<void> {
    const abort = new AbortController();
    this.#answering = abort;
    try {
      const write = (piece: string) => void process.stdout.write(piece);
      const output = { write, paint: this.#paint, terminal: true };
      await printAnswer(this.#session.ask(text, abort.signal), output);
    } catch (cause) {
      if (!abort.signal.aborted) throw cause;
      process.stdout.write(`${this.#paint.dim("[stopped]")}\n`);
    } finally {
      this.#answering = undefined;
    }
  }

  /** Ctrl-C: stops the running answer, else empties the line, else leaves. */
  #interrupt(): void {
    if (this.#answering !== undefined) {
      this.#answering.abort();
    } else if (this.#terminal.line !== "") {
      this.#terminal.write(null, { ctrl: true, name: "e" });
      this.#terminal.write(null, { ctrl: true, name: "u" });
    } else {
      process.stdout.write("\n");
      this.#terminal.close();
    }
  }

  async #command(text: string): Promise<void> {
    const [, name = "", argument = ""] = /^\/(\S*)\s*(.*)$/s.exec(text) ?? [];
    switch (name) {
      case "clear":
        this.#session.clear();
        return this.#say("Forgotten.");
      case "model":
        return await this.#chooseModel(argument);
      case "image":
        if (argument === "") return this.#say("Name a file: /image picture.png");
        await this.#session.addImage(argument);
        return this.#say("Added to the next question.");
      case "set":
        return await this.#set(argument);
      case "help":
      case "?":
        process.stdout.write(HELP);
        return;
      default:
        return this.#say(`There is no /${name}; /help shows what there is.`);
    }
  }

  async #set(argument: string): Promise<void> {
    const [, what = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(argument) ?? [];
    const [, name = "", value = ""] = /^(\S+)\s+(.+)$/s.exec(rest) ?? [];
    if (what === "system" && rest !== "") {
      this.#session.instruct(rest);
      this.#say("Instructed.");
    } else if (what === "parameter" && name !== "") {
      const { fields, settings } = parameterChange(name, value);
      this.#session.set(fields);
      await this.#session.load(settings);
      this.#say(`${name} is ${value}.`);
    } else {
      const loads = "and how the model is loaded, such as num_ctx";
      this.#say(`/set parameter temperature 0.2; there are: ${PARAMETER_NAMES}, ${loads}`);
    }
  }

  async #chooseModel(name: string): Promise<void> {
    const models = await listModelNames(this.#server);
    if (name === "") {
      const current = this.#session.model;
      const lines = models.map((model) => `${model === current ? "*" : " "} ${model}\n`);
      printText(lines.join(""));
      return;
    }
    if (!models.includes(name)) {
      return this.#say(`There is no model ${name}; there are: ${models.join(", ")}`);
    }
    this.#session.use(name);
    this.#say(`Now with ${name}; what was said is kept.`);
  }

  #say(text: string): void {
    printText(`${this.#paint.dim(text)}\n`);
  }
}
