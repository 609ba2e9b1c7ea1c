import type { Settings } from "../../config/settings.ts";
import { fetchFrom, refusalText } from "../client/request.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { printable, printLine } from "../terminal/output.ts";
import { findRunningNodes } from "./runningnode.ts";

/** What is done to a model, and what is told when it is done. */
const ACTIONS = {
  load: (name: string) => `Loaded ${name}.`,
  unload: (name: string) => `Unloaded ${name}: what runs of it goes on, the next request loads it.`,
  pin: (name: string) => `Pinned ${name}: it is loaded, and stays so until llmlb unpin ${name}.`,
  unpin: (name: string) => `Unpinned ${name}: it stays until its memory is needed.`,
};

export interface ResidencyChange {
  action: keyof typeof ACTIONS;
  model: string;
  /** For a load: how long it stays after its last request. Default: as the node's settings say. */
  keepAlive?: string | undefined;
}

/**
 * Loads, unloads, pins or unpins a model of the nodes that run from this home. Throws `CliError`
 * if none of them has it, or one refuses.
 */
export async function changeResidency(
  { home }: Settings,
  { action, model, keepAlive }: ResidencyChange,
): Promise<ExitCode> {
  const nodes = (await findRunningNodes(home)).filter(({ system }) => system !== undefined);
  if (nodes.length === 0) throw new CliError(`No node runs from ${home}.`, EXIT.unreachable);
  const body = { model, ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }) };
  let isDone = false;
  for (const { server } of nodes) {
    const response = await fetchFrom(server, `/api/models/${action}`, { body });
    const isAbsent = response.status === 404;
    if (!response.ok && !isAbsent) throw new CliError(await refusalText(response));
    await response.body?.cancel();
    isDone ||= !isAbsent;
  }
  if (!isDone) {
    const ids = nodes.flatMap(({ system }) => system?.models.map(({ id }) => id) ?? []);
    throw new CliError(`No node here has a model ${model}. There are: ${ids.join(", ")}.`);
  }
  printLine(ACTIONS[action](printable(model)));
  return EXIT.ok;
}
