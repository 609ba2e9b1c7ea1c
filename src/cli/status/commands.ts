import type { Command } from "commander";
import { addClientCommand, type ClientFlags, loadClient } from "../client/options.ts";

/** Adds `llmlb status`. */
export function addStatusCommands(program: Command): void {
  const description = "Show what a running llmlb does: health, endpoints, models, devices";
  addClientCommand(program, "status", description)
    .helpGroup("Use:")
    .action(async (flags: ClientFlags) => {
      const { printStatus } = await import("./status.ts");
      await printStatus({ ...loadClient(flags), json: flags.json === true });
    });
}
