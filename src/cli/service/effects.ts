import { existsSync, readFileSync } from "node:fs";
import { errorMessage } from "../../lib/errormessage.ts";
import { CliError } from "../process/exit.ts";
import { runCommand } from "../process/runcommand.ts";
import {
  dataFolderIn,
  packagedFolderIn,
  type ServiceDefinition,
  type ServiceState,
  type ServiceStep,
} from "./plan.ts";

/** How long a command of the system may take. */
const COMMAND_MS_MAX = 60_000;

/** Runs a command of the system; returns what it printed and its status, 127 if there is none. */
async function runSystemCommand(argv: string[]): Promise<{ code: number; output: string }> {
  try {
    return await runCommand(argv, COMMAND_MS_MAX);
  } catch (cause) {
    return { code: 127, output: errorMessage(cause) };
  }
}

/** Runs commands one after the other. Throws `CliError` with what the failing one said. */
export async function runSteps(steps: readonly ServiceStep[]): Promise<void> {
  for (const { argv, mayFail } of steps) {
    const { code, output } = await runSystemCommand(argv);
    if (code === 0 || mayFail === true) continue;
    throw new CliError(`${argv.join(" ")} failed with status ${code}: ${output.trim()}`);
  }
}

/** Throws `CliError` where this system keeps no services, or not for this user. */
export async function requireSystem({ probe }: ServiceDefinition): Promise<void> {
  const { code, output } = await runSystemCommand(probe.argv);
  if (probe.isThere(output, code)) return;
  throw new CliError(`A service cannot be kept: ${probe.otherwise}`);
}

/** What the system says of the service. */
export async function serviceState({ query }: ServiceDefinition): Promise<ServiceState> {
  const { code, output } = await runSystemCommand(query.argv);
  return query.parse(output, code);
}

/** The data folder of a service that is there; undefined if none is. */
export function installedHome({ files: [file] }: ServiceDefinition): string | undefined {
  if (file === undefined || !existsSync(file.path)) return undefined;
  return dataFolderIn(readFileSync(file.path, "utf8"));
}

/** The data folder of the service of that name that a package has brought; undefined: none has. */
export function packagedHome({ packaged }: ServiceDefinition): string | undefined {
  if (packaged === undefined || !existsSync(packaged)) return undefined;
  return packagedFolderIn(readFileSync(packaged, "utf8"));
}

/** What is there of a file: nothing, the same, another that llmlb wrote, or somebody else's. */
export function presence(path: string, text: string): "absent" | "same" | "older" | "foreign" {
  if (!existsSync(path)) return "absent";
  const found = readFileSync(path, "utf8");
  if (found === text) return "same";
  return dataFolderIn(found) === undefined ? "foreign" : "older";
}
