import { resolve } from "node:path";
import type { Command } from "commander";
import type { Invocation } from "../invocation.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { ServiceOptions } from "./definition.ts";

const NOTES = `
As root (on Windows: as administrator) the service is the machine's and starts with it; otherwise it
is yours. What stands behind -- is what llmlb is started with; config.json of the data folder counts
as well, and is the place for secrets.

Examples:
  llmlb service install                                    a balancer and a local node
  llmlb service install -- --model /srv/models/qwen.gguf
  llmlb service install --name llmlb-gpu1 -- node --join http://balancer:32768
  llmlb service install --dry-run                          what would be written and run
  llmlb service status`;

interface ServiceFlags {
  name: string;
  user?: true;
  system?: true;
  home?: string;
  runAs?: string;
  root?: string;
  dryRun?: true;
  force?: true;
  json?: true;
}

/** Adds `llmlb service install`, `uninstall` and `status`. */
export function addServiceCommands(program: Command, invocation: Invocation): void {
  const service = program
    .command("service")
    .helpGroup("Look after:")
    .helpCommand(false)
    .description("Run llmlb as a service: systemd, launchd, Windows")
    .addHelpText("after", NOTES);
  const optionsOf = (flags: ServiceFlags, withoutConfig: boolean): ServiceOptions => {
    if (flags.user === true && flags.system === true) {
      throw new CliError("--user and --system: it is one or the other.", EXIT.usage);
    }
    const { name, home, runAs, root } = flags;
    return {
      ...{ name, runAs, words: invocation.engineArgs ?? [], withoutConfig },
      scope: flags.user === true ? "user" : flags.system === true ? "system" : undefined,
      home: home === undefined ? undefined : resolve(home),
      root: root === undefined ? undefined : resolve(root),
    };
  };
  withPlace(service.command("install"))
    .usage("[options] [-- arguments of llmlb]")
    .description("Write the service's definition, enable and start it")
    .option("--run-as <user>", "Run as this user (default: one that exists for it alone)")
    .option("--dry-run", "Print the definition and the commands; change nothing")
    .option("--force", "Replace a definition that others have written")
    .addHelpText("after", NOTES)
    .action(async (flags: ServiceFlags) => {
      const { installService } = await import("./install.ts");
      const { dryRun, force } = flags;
      invocation.exitCode = await installService({
        ...optionsOf(flags, false),
        ...{ dryRun: dryRun === true, force: force === true },
      });
    });
  withPlace(service.command("uninstall"))
    .description("End the service and remove its definition; the data folder stays")
    .action(async (flags: ServiceFlags) => {
      const { uninstallService } = await import("./uninstall.ts");
      invocation.exitCode = await uninstallService(optionsOf(flags, true));
    });
  withPlace(service.command("status"))
    .description("Whether the service is there and runs; status 1 if not")
    .option("--json", "JSON")
    .action(async (flags: ServiceFlags) => {
      const { showServiceStatus } = await import("./servicestatus.ts");
      invocation.exitCode = await showServiceStatus(optionsOf(flags, true), flags.json === true);
    });
}

function withPlace(command: Command): Command {
  return command
    .option("--name <name>", "The service's name", "llmlb")
    .option("--user", "Your own service, also as root")
    .option("--system", "The machine's service")
    .option("--home <folder>", "Its data folder (/var/lib/llmlb; your own: ~/.llmlb)")
    .option("--root <folder>", "Into the system that lies in this folder, such as an image's");
}
