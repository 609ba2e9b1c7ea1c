import { modelsFolder } from "../config/hubfields.ts";
import type { Settings } from "../config/settings.ts";
import { TINY_MODEL_ID } from "../node/tiny.ts";
import { parseModelName } from "../storage/id.ts";
import { isBeingFetched } from "../storage/pending.ts";
import type { Place } from "../storage/places.ts";
import { removeQuantization } from "../storage/quantization.ts";
import { Store } from "../storage/store.ts";
import { ApiError } from "../wire/error.ts";
import type { NodeModel } from "../wire/system.ts";
import { printLine as line, printJson } from "./call.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";
import { type RunningNode, runningNodes } from "./runningnode.ts";
import { paintFor, printable } from "./terminal.ts";

export interface RemoveCommand {
  /** `org/name` or `org/name:QUANT`. */
  name: string;
  settings: Settings;
  json: boolean;
  signal: AbortSignal;
}

/**
 * Removes a model, or one of its quantizations, from the models folder. One that is not there is
 * removed already. Throws `CliError` while requests use it or a process fetches it.
 */
export async function removeStored(command: RemoveCommand): Promise<ExitCode> {
  try {
    return await remove(command);
  } catch (error) {
    if (error instanceof ApiError) throw new CliError(error.message, EXIT.error, error);
    throw error;
  }
}

async function remove({ name, settings, json, signal }: RemoveCommand): Promise<ExitCode> {
  const store = new Store(modelsFolder(settings));
  const { id, quantization } = parseModelName(name);
  const place = await store.place(id);
  if (place === undefined) {
    if (id === TINY_MODEL_ID) throw new CliError(`${id} is built in: there is no file to remove.`);
    return tell({ id: name, removed: false, json, notes: [] });
  }
  const nodes = await runningNodes(settings.home);
  const uses = usesOf(nodes, place.id, quantization);
  refuseBusy(name, uses);
  if (await isBeingFetched(place.folder)) {
    throw new CliError(`${place.id} is being fetched right now. Stop that first.`);
  }
  const removed = await removeFrom(store, place, { quantization, signal });
  const notes = uses
    .filter(({ model }) => model.state !== "unloaded")
    .map(({ node }) => `Process ${node.pid} still has it loaded, and ends that within a minute.`);
  const told = quantization === undefined ? place.id : `${place.id}:${quantization}`;
  return tell({ id: told, removed, json, notes });
}

interface Removal {
  quantization: string | undefined;
  signal: AbortSignal;
}

/** False if the model has no such quantization. */
async function removeFrom(store: Store, place: Place, wish: Removal): Promise<boolean> {
  const { quantization, signal } = wish;
  if (quantization === undefined) return await store.remove(place.id);
  const model = await store.find(`${place.id}:${quantization}`).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
  if (model === undefined) return false;
  const files = model.weights.map(({ name }) => name);
  const { root } = store;
  await removeQuantization({ root, folder: place.folder, files, quantization, signal });
  return true;
}

interface Use {
  node: RunningNode;
  model: NodeModel;
}

/** What runs of a model: under its own name, and those of its quantizations. */
function usesOf(nodes: RunningNode[], id: string, quantization: string | undefined): Use[] {
  const base = id.toLowerCase();
  return nodes.flatMap((node) => {
    const models = node.system?.models ?? [];
    const meant = models.filter((model) => {
      const [own, other] = model.id.toLowerCase().split(":");
      // Under the bare id any of them may run.
      return own === base && (other ?? quantization?.toLowerCase()) === quantization?.toLowerCase();
    });
    const all = models.filter((model) => model.id.toLowerCase().split(":")[0] === base);
    return (quantization === undefined ? all : meant).map((model) => ({ node, model }));
  });
}

function refuseBusy(name: string, uses: Use[]): void {
  const busy = uses.find(({ model }) => (model.busy ?? 0) > 0);
  const loading = uses.find(({ model }) => model.state === "loading");
  const [use, what] =
    busy === undefined
      ? [loading, "is being loaded"]
      : [busy, `answers ${busy.model.busy} request${busy.model.busy === 1 ? "" : "s"}`];
  if (use === undefined) return;
  throw new CliError(`${name} ${what} in process ${use.node.pid}. Wait for that, or stop llmlb.`);
}

interface Told {
  id: string;
  removed: boolean;
  json: boolean;
  notes: string[];
}

function tell({ id, removed, json, notes }: Told): ExitCode {
  if (json) return printJson({ id, removed });
  const { green } = paintFor(process.stdout);
  if (removed) line(`${green("Removed")} ${printable(id)}`);
  else line(`There is no ${printable(id)} here: nothing to remove. See llmlb list.`);
  for (const note of notes) process.stderr.write(`${note}\n`);
  return EXIT.ok;
}
