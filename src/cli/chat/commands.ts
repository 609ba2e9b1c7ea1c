import type { Command } from "commander";
import { addServerOptions, loadClient, type ServerFlags } from "../client/options.ts";
import { findServer } from "../client/server.ts";
import type { Invocation } from "../invocation.ts";
import { collectValues } from "../options/repeatable.ts";
import { addRunSettingFlags, RUN_SETTING_FLAGS, runSettingsOf } from "../options/runsettings.ts";
import type { ParameterChange } from "./parameters.ts";

const EXAMPLES = `
Examples:
  llmlb chat                                   talk; /help there shows more
  llmlb chat "Why is the sky blue?"            one question
  git diff | llmlb chat Summarise this change  a question about what is piped in
  llmlb chat --image cat.png "What is this?"   about a picture
  llmlb chat --url http://gpu1:8080 Hello      with another OpenAI-compatible server`;

interface ChatFlags extends ServerFlags {
  model?: string;
  system?: string;
  image?: string[];
  set?: string[];
  format?: string;
  keepalive?: string;
  verbose?: true;
}

const RUN_EXAMPLES = `
Examples:
  llmlb run qwen3                              talk; /help there shows more
  llmlb run qwen3 "Why is the sky blue?"       one question
  llmlb run qwen3 --set temperature=0.2 Hello  with a parameter; may be repeated
  llmlb run qwen3 --format json List colours   the answer is JSON, or fits a schema
  llmlb run qwen3 --keepalive 1h --verbose Hi  stays loaded for an hour; tells its speed
  llmlb run qwen3 --ctx-size 8192 --gpu-layers 0 Hi  loads it so, until llmlb stop qwen3

How it is loaded, for all who use it; --set takes these names as well (num_ctx, num_gpu, too):
${RUN_SETTING_FLAGS}`;

/** Adds the options of `llmlb chat` and `llmlb run`; `ollama run` has most of them. */
function addChatOptions(command: Command): Command {
  return command
    .option("-s, --system <text>", "Instructions for the model")
    .option("-i, --image <file>", "Picture for the question; may be repeated", collectValues)
    .option("--set <name=value>", "Parameter such as temperature; may be repeated", collectValues)
    .option("--format <format>", "json, or a JSON schema that the answer must fit")
    .option("--keepalive <time>", "How long the model stays loaded afterwards: 5m, 0, -1")
    .option("--verbose", "Tell tokens and speed at the end");
}

/** What flags change for each request, and how they load the model. Throws `CliError`. */
async function changeOf(given: ChatFlags): Promise<ParameterChange> {
  const { set = [], format, keepalive, ...flags } = given;
  const parameters = await import("./parameters.ts");
  const { formatField, inOne, keepAliveField, parameterChanges, settingsChange } = parameters;
  const run = settingsChange(runSettingsOf({ ...flags }) ?? {});
  const { fields, settings } = inOne([run, parameterChanges(set)]);
  const more = {
    ...(format === undefined ? {} : formatField(format)),
    ...(keepalive === undefined ? {} : keepAliveField(keepalive)),
  };
  return { fields: { ...fields, ...more }, settings };
}

/** Adds `llmlb chat` and `llmlb run`. */
export function addChatCommands(program: Command, invocation: Invocation): void {
  const chat = program
    .command("chat")
    .helpGroup("Use:")
    .description("Talk with a model, or answer one question")
    .argument("[question...]", "One question; without it, a conversation")
    .option("-m, --model <name>", "Model to talk with (default: the first that is ready)")
    .addHelpText("after", EXAMPLES);
  addServerOptions(addChatOptions(chat)).action(async (words: string[], flags: ChatFlags) =>
    talk(words, flags, await changeOf(flags)),
  );
  const run = program
    .command("run")
    .helpGroup("Use:")
    .description("Talk with a model; one that is not here is fetched from the hub first")
    .argument("<model>", "Its name; org/name or org/name:QUANT of the hub")
    .argument("[question...]", "One question; without it, a conversation")
    .addHelpText("after", RUN_EXAMPLES);
  addRunSettingFlags(addServerOptions(addChatOptions(run))).action(
    async (model, words: string[], flags: ChatFlags) => {
      const { runnableModel } = await import("./run.ts");
      const change = await changeOf(flags); // What is wrong is refused before anything is fetched.
      const { client, settings } = loadClient(flags);
      const server = findServer(client, settings);
      // With settings of its own it is loaded afterwards, once.
      const isPlain = Object.keys(change.settings).length === 0;
      const load = isPlain && words.length === 0 && process.stdin.isTTY === true;
      const name = await runnableModel({ model, server, settings, load });
      await talk(words, { ...flags, model: name }, change);
    },
  );

  async function talk(words: string[], flags: ChatFlags, change: ParameterChange): Promise<void> {
    const { runChat } = await import("./chat.ts");
    const { model, system, image = [], verbose = false } = flags;
    const { client, settings } = loadClient(flags);
    const { fields, settings: loadSettings } = change;
    invocation.exitCode = await runChat({
      server: findServer(client, settings),
      question: [...words, ...(invocation.engineArgs ?? [])].join(" "),
      ...{ images: image, verbose, fields, loadSettings },
      ...(model === undefined ? {} : { model }),
      ...(system === undefined ? {} : { system }),
    });
  }
}
