import { Argument, type Command } from "commander";
import { environment } from "../../config/environment.ts";
import { readLogin } from "../client/logins.ts";
import { addServerOptions, loadClient, type ServerFlags } from "../client/options.ts";
import { findServer } from "../client/server.ts";
import type { Invocation } from "../invocation.ts";
import { CLIENTS } from "./clients.ts";

const NAMES = Object.keys(CLIENTS);

const NOTES = `
The client gets the address, the key and the model; nothing of its own configuration is changed.
Any other program gets the variables that the packages of OpenAI, Anthropic and Ollama read.
What follows -- is the client's.

Examples:
  llmlb launch claude                             with the first model that is ready
  llmlb launch codex --model qwen3-coder -- exec "Explain this repository"
  llmlb launch python -- ask.py                   any program
  eval "$(llmlb launch claude --print)"           the variables, for this shell`;

interface LaunchFlags extends ServerFlags {
  model?: string;
  print?: true;
  json?: true;
}

/** Adds `llmlb launch`. */
export function addLaunchCommand(program: Command, invocation: Invocation): void {
  const client = new Argument("<client>", "Its program; any other may be named as well");
  client.argChoices = NAMES; // For completion alone: others are no mistake.
  const command = program
    .command("launch")
    .helpGroup("Use:")
    .usage("<client> [options] [-- the client's arguments]")
    .description("Start a coding agent or another client with a model of llmlb")
    .addArgument(client)
    .argument("[arguments...]", "What the client is given")
    .option("-m, --model <name>", "Model to use (default: the first that is ready)")
    .option("--print", "Print what it would be started with")
    .option("--json", "Print that as JSON")
    .addHelpText("after", NOTES);
  addServerOptions(command).action(async (name: string, words: string[], flags: LaunchFlags) => {
    const { launch, printLaunch } = await import("./launch.ts");
    const { client: given, settings } = loadClient(flags);
    const server = findServer(given, settings);
    const login = readLogin(settings.home);
    const options = {
      program: name,
      arguments: [...words, ...(invocation.engineArgs ?? [])],
      server,
      apiKey: given.apiKey ?? (login?.url === server.url ? login.api_key : undefined),
      model: flags.model,
      env: environment(),
      authority: settings.tlsCa ?? settings.tlsCert,
    };
    if (flags.print === true || flags.json === true) {
      await printLaunch(options, flags.json === true);
      return;
    }
    process.exit(await launch(options));
  });
}
