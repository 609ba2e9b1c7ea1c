import { Command, CommanderError } from "commander";
import { loadClientSettings } from "../config/clientsettings.ts";
import { environment } from "../config/environment.ts";
import { loadSettings } from "../config/precedence.ts";
import { exemptLoopback } from "../config/values/proxy.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../config/version.ts";
import { findServer } from "./client/server.ts";
import { addEndpointCommands, type GroupParts } from "./endpoint/commands.ts";
import { addSettings, flagsOf, refuseExtra, withSuggestion } from "./flags.ts";
import { CHAT_EXAMPLES, ROOT_NOTES, SERVE_EXAMPLES, SETTINGS_NOTE, settingsHelp } from "./help.ts";
import { addLocalCommands } from "./local/commands.ts";
import { addModelCommands } from "./model/commands.ts";
import { CliError, EXIT, type ExitCode } from "./process/exit.ts";
import { reportFailure } from "./process/failure.ts";
import { LOCAL_NODE_COMMAND } from "./serve/localnode.ts";

/**
 * Runs the command that the arguments (without the program's own name) ask for. Returns the exit
 * code; failures have been told on stderr by then. Serving commands end the process themselves.
 */
export async function runCli(argv: string[]): Promise<ExitCode> {
  const cut = argv.indexOf("--");
  const own = cut < 0 ? argv : argv.slice(0, cut);
  const outcome: Outcome = { code: EXIT.ok };
  const rest = cut < 0 ? undefined : argv.slice(cut + 1);
  exemptLoopback(environment());
  try {
    await createProgram(rest, outcome).parseAsync(own, { from: "user" });
    return outcome.code;
  } catch (cause) {
    if (!(cause instanceof CommanderError)) return reportFailure(cause);
    return cause.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

interface Outcome {
  code: ExitCode;
}

/** The commands. `rest` is what stood behind `--`; actions put their exit code into `outcome`. */
function createProgram(rest: string[] | undefined, outcome: Outcome): Command {
  const program = new Command("llmlb")
    .usage("[command] [options] [-- llama-server arguments]")
    .description(
      "One OpenAI-compatible address in front of all your inference endpoints, with llama.cpp\n\
built in. Without a command it serves: a balancer and a local node.",
    )
    .version(
      `llmlb ${VERSION} (Bun ${Bun.version}, llama.cpp ${LLAMA_CPP_VERSION})`,
      "-V, --version",
      "Show the versions of llmlb, Bun and llama.cpp",
    )
    .helpOption("-h, --help", "Show help; llmlb <command> --help for a command")
    .helpCommand(false)
    .showHelpAfterError("Run llmlb --help to see what there is.")
    .configureOutput({ outputError: (text, write) => write(withSuggestion(text)) })
    .exitOverride()
    .configureHelp({ helpWidth: 100, subcommandTerm: (command) => command.name() })
    .addHelpText("after", () =>
      ["", SERVE_EXAMPLES, settingsHelp("standalone"), SETTINGS_NOTE, ROOT_NOTES]
        .join("\n\n")
        .slice(1),
    );
  addServing(program, rest);
  addClients(program, rest, outcome);
  const group: GroupParts = {
    addServerOptions,
    connect: ({ json, ...flags }) => {
      const { client, settings } = clientOf(flags);
      return { server: findServer(client, settings), json: json === true };
    },
    finish: (code) => {
      outcome.code = code;
    },
  };
  addEndpointCommands(program, group);
  addModelCommands(program, group);
  addLocalCommands(program, { rest, finish: group.finish });
  addCare(program, rest, outcome);
  addHidden(program);
  return program;
}

function addServing(program: Command, rest: string[] | undefined): void {
  const commands = {
    standalone: program.command("serve", { isDefault: true }),
    balancer: program.command("balancer"),
    node: program.command("node"),
  };
  commands.standalone.description("Serve a balancer and a local node (default)");
  commands.balancer.description("Serve a balancer alone, over the endpoints given");
  commands.node.description("Serve a node alone: models of this machine");
  for (const mode of ["standalone", "balancer", "node"] as const) {
    const takesArguments = mode === "balancer" ? "" : " [-- llama-server arguments]";
    const command = commands[mode];
    command
      .helpGroup("Serve:")
      .usage(`[options]${takesArguments}`)
      .argument("[extra...]")
      .addHelpText("after", () => `\n${settingsHelp(mode)}\n\n${SETTINGS_NOTE}`)
      .action(async (extra: string[], options: Record<string, unknown>) => {
        refuseExtra(extra, mode === "standalone" ? program : command);
        const flags = flagsOf(options, mode === "balancer" ? undefined : rest);
        if (mode === "balancer" && rest !== undefined) {
          const message = "A balancer runs no models, so it takes no arguments after --.";
          throw new CliError(message, EXIT.usage);
        }
        if (mode !== "standalone") flags.mode = mode;
        const { settings, warnings } = loadSettings({ flags, env: environment() });
        const { serve } = await import("./serve/serve.ts");
        await serve(settings, warnings);
      });
    addSettings(command, mode);
  }
}

function addClients(program: Command, rest: string[] | undefined, outcome: Outcome): void {
  const collect = (value: string, values: string[] = []) => [...values, value];
  const chat = program
    .command("chat")
    .helpGroup("Use:")
    .description("Talk with a model, or answer one question")
    .argument("[question...]", "One question; without it, a conversation")
    .option("-m, --model <name>", "Model to talk with (default: the first that is ready)")
    .option("-s, --system <text>", "Instructions for the model")
    .option("-i, --image <file>", "Picture for the question; may be repeated", collect)
    .addHelpText("after", CHAT_EXAMPLES);
  addServerOptions(chat).action(async (words: string[], options: ChatFlags) => {
    const { chat: run } = await import("./chat/chat.ts");
    const { model, system, image = [] } = options;
    const { client, settings } = clientOf(options);
    outcome.code = await run({
      server: findServer(client, settings),
      question: [...words, ...(rest ?? [])].join(" "),
      images: image,
      ...(model === undefined ? {} : { model }),
      ...(system === undefined ? {} : { system }),
    });
  });

  const status = program
    .command("status")
    .helpGroup("Use:")
    .description("Show what a running llmlb does: health, endpoints, models, devices")
    .option("--json", "Print JSON");
  addServerOptions(status).action(async (options: ServerFlags & { json?: true }) => {
    const { printStatus } = await import("./status/status.ts");
    await printStatus({ ...clientOf(options), json: options.json === true });
  });
}

function addCare(program: Command, rest: string[] | undefined, outcome: Outcome): void {
  const doctor = program
    .command("doctor")
    .helpGroup("Look after:")
    .description("Check this machine: libraries, devices, ports, folders, settings")
    .option("--json", "Print JSON")
    .option("--home <folder>", "Data folder (~/.llmlb)");
  doctor.action(async (options: { json?: true; home?: string }) => {
    const { doctor: run } = await import("./status/doctor.ts");
    const flags = options.home === undefined ? {} : { home: options.home };
    outcome.code = await run({ flags, env: environment(), json: options.json === true });
  });

  const config = program
    .command("config")
    .helpGroup("Look after:")
    .usage("[--json] [options of serve]")
    .description("Show the settings in effect and where each comes from")
    .option("--json", "Print JSON")
    .addHelpText("after", () => `\nAll options of serve may be given, to see what they do.`);
  addSettings(config, "standalone");
  config.action(async (options: Record<string, unknown>) => {
    const { printConfig } = await import("./status/config.ts");
    const loaded = loadSettings({ flags: flagsOf(options, rest), env: environment() });
    printConfig(loaded, options.json === true);
  });
}

/** Processes that llmlb starts itself. */
function addHidden(program: Command): void {
  program.command("engine", { hidden: true }).action(async () => {
    const { runEngine } = await import("../engine/process.ts");
    await runEngine();
  });
  program.command(LOCAL_NODE_COMMAND, { hidden: true }).action(async () => {
    const { serveLocalNode } = await import("./serve/node.ts");
    await serveLocalNode();
  });
}

interface ServerFlags {
  url?: string;
  apiKey?: string;
  home?: string;
}

interface ChatFlags extends ServerFlags {
  model?: string;
  system?: string;
  image?: string[];
}

function addServerOptions(command: Command): Command {
  return command
    .option("--url <url>", "Server to talk to (default: the llmlb that runs here) [LLMLB_URL]")
    .option("--api-key <key>", "Key to send [LLMLB_API_KEY]")
    .option("--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]");
}

function clientOf({ home, ...flags }: ServerFlags) {
  const env = environment();
  const { settings } = loadSettings({ flags: home === undefined ? {} : { home }, env });
  return { client: loadClientSettings({ flags, env }), settings };
}
