import type { RunSettings } from "../../wire/runsettings.ts";
import type { Server } from "../client/server.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printNote } from "../terminal/output.ts";
import { printAnswer } from "./answer.ts";
import { chatPrompt } from "./prompt.ts";
import { type ChatSession, startChatSession } from "./session.ts";

interface ChatOptions {
  server: Server;
  /** One question to answer; empty: talk on the terminal, or read it from a pipe. */
  question: string;
  /** Name of the model; the first that is ready when absent. */
  model?: string;
  /** Instructions before the first message. */
  system?: string;
  /** Pictures for the first question. */
  images: string[];
  /** Further fields of each request. */
  fields: Record<string, unknown>;
  /** Tell tokens and speed on stderr where the answer is not on a terminal. */
  verbose: boolean;
  /** How the model is loaded before the first question; none: as it is, or would be. */
  loadSettings: RunSettings;
}

/** Answers one question (given or piped in, or both), or talks on the terminal. */
export async function runChat({
  question,
  images,
  verbose,
  ...options
}: ChatOptions): Promise<ExitCode> {
  const piped = process.stdin.isTTY === true ? "" : (await Bun.stdin.text()).trim();
  const text = [question, piped].filter((part) => part !== "").join("\n\n");
  if (text === "" && (process.stdin.isTTY !== true || process.stdout.isTTY !== true)) {
    throw new CliError("There is no question: llmlb chat <question>", EXIT.usage);
  }
  const session = await startChatSession(options);
  await session.load(options.loadSettings);
  for (const image of images) await session.addImage(image);
  if (text !== "") return await answerOnce(session, text, verbose);
  await chatPrompt(session, options.server);
  return EXIT.ok;
}

async function answerOnce(session: ChatSession, text: string, verbose: boolean): Promise<ExitCode> {
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  const write = (piece: string) => void process.stdout.write(piece);
  const output = {
    write,
    paint: colorsFor(process.stdout),
    terminal: process.stdout.isTTY === true,
    ...(verbose ? { note: printNote } : {}),
  };
  try {
    await printAnswer(session.ask(text, abort.signal), output);
    return EXIT.ok;
  } catch (cause) {
    if (!abort.signal.aborted) throw cause;
    return EXIT.interrupted;
  }
}
