import type { RunSettings } from "../../wire/runsettings.ts";
import { fetchFrom, refusalText } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { CliError } from "../process/exit.ts";
import { printable, printNote } from "../terminal/output.ts";

/**
 * Loads a model with settings, which hold for all who use it until it is unloaded. Throws
 * `CliError` if the server refuses them or cannot load it with them.
 */
export async function loadWithSettings(
  server: Server,
  model: string,
  settings: RunSettings,
): Promise<void> {
  printNote(`Loading ${printable(model)} …`);
  const body = { model, settings };
  const answer = await fetchFrom(server, "/api/models/load", { body });
  if (answer.ok) return void (await answer.body?.cancel());
  const message = await refusalText(answer);
  const names = Object.keys(settings).join(", ");
  throw new CliError(`${printable(model)} was not loaded with ${names}: ${message}`);
}
