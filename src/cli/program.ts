import { Command, CommanderError } from "commander";
import { environment } from "../config/environment.ts";
import { unknownVariables } from "../config/unknownvariables.ts";
import { exemptLoopback } from "../config/values/proxy.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../config/version.ts";
import { addAccountCommands } from "./account/commands.ts";
import { addAuditCommands } from "./audit/commands.ts";
import { addBackendCommands } from "./backend/commands.ts";
import { addBackupCommands } from "./backup/commands.ts";
import { addChatCommands } from "./chat/commands.ts";
import { addCompletionCommands } from "./completion/commands.ts";
import { addConfigCommands } from "./config/commands.ts";
import { addDoctorCommands } from "./doctor/commands.ts";
import { addEndpointCommands } from "./endpoint/commands.ts";
import { addHistoryCommands } from "./history/commands.ts";
import type { Invocation } from "./invocation.ts";
import { addLaunchCommand } from "./launch/commands.ts";
import { addLocalModelCommands } from "./localmodel/commands.ts";
import { addLogsCommand } from "./logs/commands.ts";
import { addModelCommands } from "./model/commands.ts";
import { readCommandLine } from "./options/commandline.ts";
import { SETTINGS_NOTE, settingsHelp } from "./options/settinghelp.ts";
import { explainMistakes } from "./options/suggestions.ts";
import { reportError } from "./process/errorreport.ts";
import { EXIT, type ExitCode } from "./process/exit.ts";
import {
  addChildCommands,
  addRestartCommand,
  addServeCommands,
  addStopCommand,
  SERVE_EXAMPLES,
} from "./serve/commands.ts";
import { LOCAL_NODE_COMMAND } from "./serve/localnodecommand.ts";
import { addServiceCommands } from "./service/commands.ts";
import { addStatusCommands } from "./status/commands.ts";
import { printNote } from "./terminal/output.ts";
import { addUpdateCommand } from "./update/commands.ts";

const ROOT_NOTES = `Environment for commands that talk to a server:
  LLMLB_URL      Server to talk to (default: the llmlb that runs from this home)
  LLMLB_API_KEY  Key to send to it
  NO_COLOR       No colours

Exit status: 0 success, 1 error, 2 wrong usage or setting, 3 no connection.`;

/**
 * Runs the command that the arguments (without the program's own name) name. Prints errors on
 * stderr and returns the exit code. Serving commands end the process themselves.
 */
export async function runCli(argv: string[]): Promise<ExitCode> {
  const invocation: Invocation = { engineArgs: undefined, exitCode: EXIT.ok };
  const program = createProgram(invocation);
  const names = program.commands.flatMap((one) => {
    const below = one.commands.map((sub) => sub.name());
    return [one.name(), ...one.aliases()].map((name) => [name, below]);
  });
  const { own, engineArgs } = readCommandLine(argv, new Map(names as [string, string[]][]));
  invocation.engineArgs = engineArgs;
  exemptLoopback(environment());
  try {
    await program.parseAsync(own, { from: "user" });
    return invocation.exitCode;
  } catch (cause) {
    if (!(cause instanceof CommanderError)) return reportError(cause);
    return cause.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

/** Those that serve tell it in the log, `doctor` in its findings; shells ask `complete`. */
const WARN_THEMSELVES = ["serve", "balancer", "node", "doctor", "complete", LOCAL_NODE_COMMAND];

/** Tells of variables that look like settings and are none. */
function warnOfVariables(command: string): void {
  if (WARN_THEMSELVES.includes(command)) return;
  for (const text of unknownVariables(environment())) printNote(`warning: ${text}`);
}

/** The program with all its commands, in the order of the help. */
function createProgram(invocation: Invocation): Command {
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
    .hook("preAction", (_, command) => warnOfVariables(command.name()))
    .exitOverride()
    .configureHelp({ helpWidth: 100, subcommandTerm: (command) => command.name() })
    .addHelpText("after", () =>
      ["", SERVE_EXAMPLES, settingsHelp("standalone"), SETTINGS_NOTE, ROOT_NOTES]
        .join("\n\n")
        .slice(1),
    );
  addServeCommands(program, invocation);
  addChatCommands(program, invocation);
  addLaunchCommand(program, invocation);
  addStatusCommands(program);
  addEndpointCommands(program, invocation);
  addModelCommands(program, invocation);
  addLocalModelCommands(program, invocation);
  addBackendCommands(program, invocation);
  addHistoryCommands(program, invocation);
  addAccountCommands(program, invocation);
  addAuditCommands(program, invocation);
  addDoctorCommands(program, invocation);
  addConfigCommands(program, invocation);
  addBackupCommands(program, invocation);
  addCompletionCommands(program, invocation);
  addServiceCommands(program, invocation);
  addUpdateCommand(program, invocation);
  addLogsCommand(program, invocation);
  addRestartCommand(program, invocation);
  addStopCommand(program, invocation);
  addChildCommands(program);
  explainMistakes(program);
  return program;
}
