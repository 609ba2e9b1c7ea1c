import type { Command } from "commander";
import { environment } from "../../config/environment.ts";
import type { Invocation } from "../invocation.ts";

/** Adds `llmlb doctor`. */
export function addDoctorCommands(program: Command, invocation: Invocation): void {
  program
    .command("doctor")
    .helpGroup("Look after:")
    .description("Check this machine: folders, databases, libraries, devices, ports, settings")
    .option("--json", "Print JSON")
    .option("--home <folder>", "Data folder (~/.llmlb)")
    .action(async ({ json, home }: { json?: true; home?: string }) => {
      const { runDoctor } = await import("./doctor.ts");
      const flags = home === undefined ? {} : { home };
      invocation.exitCode = await runDoctor({ flags, env: environment(), json: json === true });
    });
}
