import type { Settings } from "../../config/settings.ts";
import { ResidencyAnswer } from "../../wire/residency.ts";
import { fetchFrom, refusalText, requestJson } from "../client/request.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { printable, printLine, printNote } from "../terminal/output.ts";
import { findFront } from "./runningfront.ts";
import { findRunningNodes } from "./runningnode.ts";

/** What is done to a model, and what is told when it is done. */
const ACTIONS = {
  load: (name: string) => `Loaded ${name}.`,
  unload: (name: string) => `Unloaded ${name}: what runs of it goes on, the next request loads it.`,
  pin: (name: string) => `Pinned ${name}: it is loaded, and stays so until llmlb unpin ${name}.`,
  unpin: (name: string) => `Unpinned ${name}: it stays until its memory is needed.`,
};

export interface ResidencyCommand {
  action: keyof typeof ACTIONS;
  model: string;
  /** For a load: how long it stays after its last request. Default: as the node's settings say. */
  keepAlive?: string | undefined;
  /** The endpoint of a balancer that is meant. Default: as the balancer chooses. */
  endpoint?: string | undefined;
}

/**
 * Loads, unloads, pins or unpins a model at the endpoints of the balancer that runs from this home,
 * else of the nodes that do. Throws `CliError` if none of them has it, or one refuses.
 */
export async function changeResidency(
  { home }: Settings,
  command: ResidencyCommand,
): Promise<ExitCode> {
  const { action, model, keepAlive, endpoint } = command;
  const front = findFront(home);
  if (front !== undefined) {
    const fields = { model, keep_alive: keepAlive, endpoint };
    const path = `/api/models/${action}`;
    const answer = await requestJson(front, path, ResidencyAnswer, { body: fields });
    for (const { endpoint: name, error } of answer.endpoints) {
      if (error === null)
        printLine(`${ACTIONS[action](printable(answer.model))} (${printable(name)})`);
      else printNote(`${printable(name)}: ${printable(error)}`);
    }
    return EXIT.ok;
  }
  if (endpoint !== undefined)
    throw new CliError(`No balancer runs from ${home}.`, EXIT.unreachable);
  return changeAtNodes(home, command);
}

async function changeAtNodes(
  home: string,
  { action, model, keepAlive }: ResidencyCommand,
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
