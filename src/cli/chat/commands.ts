import type { Command } from "commander";
import { addServerOptions, loadClient, type ServerFlags } from "../client/options.ts";
import { findServer } from "../client/server.ts";
import type { Invocation } from "../invocation.ts";
import { collectValues } from "../options/repeatable.ts";

const EXAMPLES = `
Examples:
  llmlb chat                                   talk; /help there shows more
  llmlb chat Why is the sky blue?              one question
  git diff | llmlb chat Summarise this change  a question about what is piped in
  llmlb chat --image cat.png What is this?     about a picture
  llmlb chat --url http://gpu1:8080 Hello      with another OpenAI-compatible server`;

interface ChatFlags extends ServerFlags {
  model?: string;
  system?: string;
  image?: string[];
}

/** Adds `llmlb chat` and `llmlb run`. */
export function addChatCommands(program: Command, invocation: Invocation): void {
  const chat = program
    .command("chat")
    .helpGroup("Use:")
    .description("Talk with a model, or answer one question")
    .argument("[question...]", "One question; without it, a conversation")
    .option("-m, --model <name>", "Model to talk with (default: the first that is ready)")
    .option("-s, --system <text>", "Instructions for the model")
    .option("-i, --image <file>", "Picture for the question; may be repeated", collectValues)
    .addHelpText("after", EXAMPLES);
  addServerOptions(chat).action((words: string[], flags: ChatFlags) => talk(words, flags));
  const run = program
    .command("run")
    .helpGroup("Use:")
    .description("Talk with a model; one that is not here is fetched from the hub first")
    .argument("<model>", "Its name; org/name or org/name:QUANT of the hub")
    .argument("[question...]", "One question; without it, a conversation");
  addServerOptions(run).action(async (model: string, words: string[], flags: ServerFlags) => {
    const { runnableModel } = await import("./run.ts");
    const { client, settings } = loadClient(flags);
    const server = findServer(client, settings);
    const load = words.length === 0 && process.stdin.isTTY === true;
    await talk(words, { ...flags, model: await runnableModel({ model, server, settings, load }) });
  });

  async function talk(words: string[], flags: ChatFlags): Promise<void> {
    const { runChat } = await import("./chat.ts");
    const { model, system, image = [] } = flags;
    const { client, settings } = loadClient(flags);
    invocation.exitCode = await runChat({
      server: findServer(client, settings),
      question: [...words, ...(invocation.engineArgs ?? [])].join(" "),
      images: image,
      ...(model === undefined ? {} : { model }),
      ...(system === undefined ? {} : { system }),
    });
  }
}
