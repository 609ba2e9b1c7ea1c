import type { Settings } from "../../config/settings.ts";
import { ROUTES } from "../../wire/route.ts";
import { sendRequest } from "../client/request.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { printable, printLine } from "../terminal/output.ts";
import { findRunningNodes } from "./runningnode.ts";

/** Unloads a model of the nodes that run from this home. Throws `CliError` if none has it. */
export async function unloadModel({ home }: Settings, model: string): Promise<ExitCode> {
  const nodes = (await findRunningNodes(home)).filter(({ system }) => system !== undefined);
  if (nodes.length === 0) throw new CliError(`No node runs from ${home}.`, EXIT.unreachable);
  const ids = nodes.flatMap(({ system }) => system?.models.map(({ id }) => id) ?? []);
  const having = nodes.filter(({ system }) => system?.models.some(({ id }) => id === model));
  if (having.length === 0) {
    throw new CliError(`No node here has a model ${model}. There are: ${ids.join(", ")}.`);
  }
  for (const { server } of having) {
    const body = { model, messages: [], keep_alive: 0 };
    await sendRequest(server, ROUTES.chat.path, { body });
  }
  printLine(`Unloaded ${printable(model)}: what runs of it goes on, the next request loads it.`);
  return EXIT.ok;
}
