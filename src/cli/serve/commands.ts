import type { Command } from "commander";
import { environment } from "../../config/environment.ts";
import { type Configuration, loadSettings } from "../../config/precedence.ts";
import type { Invocation } from "../invocation.ts";
import { settingsOfMode } from "../options/modesettings.ts";
import { addSettingFlags, settingFlagValues } from "../options/settingflags.ts";
import { SETTINGS_NOTE, settingsHelp } from "../options/settinghelp.ts";
import { refuseExtra } from "../options/suggestions.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { LOCAL_NODE_COMMAND } from "./localnodecommand.ts";

/** How llmlb is started, for the help of the program. */
export const SERVE_EXAMPLES = `Examples:
  llmlb                                              try it with the small built-in model
  llmlb --model qwen3-4b.gguf                        serve a model of your own
  llmlb --model qwen3-4b.gguf --ctx-size 16384       with a larger context
  llmlb --model qwen3-4b.gguf -- --temp 0.2          with any other argument of llama-server
  llmlb --model vision.gguf --mmproj mmproj.gguf     with images
  llmlb -e http://gpu1:8080 -e big=http://gpu2:8000  balance over other servers as well
  llmlb node --host 0.0.0.0 -m q.gguf \\
    --join http://balancer:32768 --token enrol_…     a node for a balancer elsewhere`;

/** Adds `llmlb serve` (the default command), `balancer` and `node`. */
export function addServeCommands(program: Command, invocation: Invocation): void {
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
        const { engineArgs } = invocation;
        const flags = settingFlagValues(options, mode === "balancer" ? undefined : engineArgs);
        if (mode === "balancer" && engineArgs !== undefined) {
          const message = "A balancer runs no models, so it takes no arguments of llama-server.";
          throw new CliError(message, EXIT.usage);
        }
        if (mode !== "standalone") flags.mode = mode;
        const cwd = process.cwd();
        const read = () => loadSettings({ flags, env: environment(), cwd });
        const configuration = await settingsOrTell(read);
        if (options.listDevices === true) {
          const { printDevices } = await import("../backend/devices.ts");
          invocation.exitCode = await printDevices(configuration.settings.home, false);
          return;
        }
        const { serve } = await import("./serve.ts");
        await serve(configuration, read);
      });
    if (mode !== "balancer") {
      command.option("--list-devices", "Print the devices that models can run on, and end");
    }
    addSettingFlags(command, settingsOfMode(mode), "hidden");
  }
}

/** The settings of a process that is to serve. A process whose place it takes hears of an error. */
async function settingsOrTell(read: () => Configuration): Promise<Configuration> {
  try {
    return read();
  } catch (cause) {
    const { tellFailure } = await import("./upgrade/predecessor.ts");
    tellFailure(cause);
    throw cause;
  }
}

interface StopFlags {
  port?: string;
  home?: string;
  endpoint?: string;
}

/** Adds `llmlb stop`. */
export function addStopCommand(program: Command, invocation: Invocation): void {
  program
    .command("stop")
    .helpGroup("Look after:")
    .description("Unload a model; without one, end the llmlb that runs from this home")
    .argument("[model]", "The model whose memory is to be freed")
    .option("--endpoint <name>", "Unload it at this endpoint only")
    .option("--port <port>", "Only the one that listens on this port")
    .option("--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]")
    .action(async (model: string | undefined, options: StopFlags) => {
      const { home, port, endpoint } = options;
      const flags = { ...(home && { home }), ...(port && { port }) };
      const { settings } = loadSettings({ flags, env: environment() });
      if (model !== undefined) {
        const { changeResidency } = await import("../localmodel/residency.ts");
        invocation.exitCode = await changeResidency(settings, {
          ...{ action: "unload", model, endpoint },
        });
        return;
      }
      const { stopServers } = await import("./stop.ts");
      invocation.exitCode = await stopServers(
        settings,
        port === undefined ? undefined : settings.port,
      );
    });
}

/** Adds `llmlb restart`. */
export function addRestartCommand(program: Command, invocation: Invocation): void {
  program
    .command("restart")
    .helpGroup("Look after:")
    .description("Go on as the program and with the settings that are there now; nothing is cut")
    .option("--port <port>", "Only the one that listens on this port")
    .option("--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]")
    .action(async ({ home, port }: { port?: string; home?: string }) => {
      const flags = { ...(home && { home }), ...(port && { port }) };
      const { settings } = loadSettings({ flags, env: environment() });
      const { restartServers } = await import("./restart.ts");
      invocation.exitCode = await restartServers(
        settings,
        port === undefined ? undefined : settings.port,
      );
    });
}

/** Adds the hidden command of the node that llmlb starts itself. Engines have none: `main.ts`. */
export function addChildCommands(program: Command): void {
  program.command(LOCAL_NODE_COMMAND, { hidden: true }).action(async () => {
    const { runLocalNode } = await import("./localnodeprocess.ts");
    await runLocalNode();
  });
}
