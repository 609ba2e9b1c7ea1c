import { existsSync, rmSync } from "node:fs";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { describeFileError } from "../process/fileerror.ts";
import { printLine, printNote } from "../terminal/output.ts";
import { defineService, type ServiceOptions } from "./definition.ts";
import { installedHome, packagedHome, presence, requireSystem, runSteps } from "./effects.ts";

/**
 * Ends a service that `installService` has made, and removes what that has written; the data folder
 * stays. Where there is none, nothing changes. Throws `CliError`.
 */
export async function uninstallService(options: ServiceOptions): Promise<ExitCode> {
  const { plan, definition } = defineService(options);
  const there = definition.files.filter(({ path }) => existsSync(path));
  if (there.length === 0) {
    const isPackaged = packagedHome(definition) !== undefined;
    const end = `systemctl disable --now ${plan.name} ends it.`;
    printNote(
      isPackaged
        ? `${definition.packaged} goes with its package; ${end}`
        : `There is no service ${plan.name} of llmlb here: nothing to do.`,
    );
    return EXIT.ok;
  }
  const foreign = there.find(({ path, text }) => presence(path, text) === "foreign");
  if (foreign !== undefined) {
    throw new CliError(
      `${foreign.path} was not written by llmlb service install: who wrote it removes it.`,
    );
  }
  const home = installedHome(definition) ?? plan.home;
  await requireSystem(definition);
  await runSteps(definition.disable);
  for (const { path } of there) {
    try {
      rmSync(path);
    } catch (cause) {
      const reason = describeFileError(cause);
      throw new CliError(`Removing ${path} failed: ${reason}.`, EXIT.error, cause);
    }
    printLine(`Removed ${path}`);
  }
  await runSteps(definition.forget);
  printNote(`The data folder ${home} is left. To remove it as well: ${definition.purge(home)}`);
  return EXIT.ok;
}
