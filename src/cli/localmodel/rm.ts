import { environment } from "../../config/environment.ts";
import { modelsFolder } from "../../config/fields/hub.ts";
import { sourceFolders } from "../../config/modelsources.ts";
import type { Settings } from "../../config/settings.ts";
import { parseModelName } from "../../model/name.ts";
import { TINY_MODEL_ID } from "../../node/models/tiny.ts";
import type { ModelFolder } from "../../storage/modelfolder.ts";
import { ModelStore } from "../../storage/modelstore.ts";
import { isPullRunning } from "../../storage/pendingpull.ts";
import { ownerText } from "../../storage/sources/foundmodel.ts";
import { ModelSources } from "../../storage/sources/modelsources.ts";
import { ApiError } from "../../wire/error.ts";
import type { NodeModel } from "../../wire/system.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine } from "../terminal/output.ts";
import { findRunningNodes, type RunningNode, rescanModelsFolder } from "./runningnode.ts";

interface RemoveCommand {
  /** `org/name` or `org/name:QUANT`. */
  name: string;
  settings: Settings;
  json: boolean;
  signal: AbortSignal;
}

/**
 * Removes a model, or one of its quantizations, from the models folder; an absent one is no error.
 * Throws `CliError` while requests use the model or a process downloads it.
 */
export async function removeLocalModel(command: RemoveCommand): Promise<ExitCode> {
  try {
    return await remove(command);
  } catch (error) {
    if (error instanceof ApiError) throw new CliError(error.message, EXIT.error, error);
    throw error;
  }
}

async function remove({ name, settings, json, signal }: RemoveCommand): Promise<ExitCode> {
  const store = new ModelStore(modelsFolder(settings));
  const { id, quantization } = parseModelName(name);
  const place = await store.modelFolder(id);
  if (place === undefined) {
    await refuseForeign(name, settings);
    if (id === TINY_MODEL_ID) throw new CliError(`${id} is built in: there is no file to remove.`);
    return printRemoval({ id: name, removed: false, json });
  }
  const nodes = await findRunningNodes(settings.home);
  const uses = usesOf(nodes, place.id, quantization);
  refuseBusy(name, uses);
  if (await isPullRunning(place.folder)) {
    throw new CliError(`${place.id} is being fetched right now. Stop that first.`);
  }
  const removed = await removeFrom(store, place, { quantization, signal, nodes });
  const removedId = quantization === undefined ? place.id : `${place.id}:${quantization}`;
  return printRemoval({ id: removedId, removed, json });
}

/** Throws `CliError` for a model of another program. */
async function refuseForeign(name: string, { modelSources }: Settings): Promise<void> {
  const found = await new ModelSources(sourceFolders(modelSources, environment())).find(name);
  if (found === undefined) return;
  const { owner, model } = found;
  throw new CliError(`${name} is ${ownerText(owner)}, in ${model.folder}. Remove it there.`);
}

interface Removal {
  quantization: string | undefined;
  signal: AbortSignal;
  nodes: RunningNode[];
}

/** Removes it and makes running nodes scan. Returns false if there is no such quantization. */
async function removeFrom(
  store: ModelStore,
  place: ModelFolder,
  removal: Removal,
): Promise<boolean> {
  const { quantization, nodes, signal } = removal;
  const answering = nodes.filter(({ system }) => system !== undefined);
  try {
    if (quantization !== undefined) {
      return await store.removeQuantization(place.id, quantization, signal);
    }
    // Not through a node: its models folder may be another one, with a model of this name.
    return await store.remove(place.id);
  } finally {
    await Promise.all(answering.map(rescanModelsFolder));
  }
}

interface ModelUse {
  node: RunningNode;
  model: NodeModel;
}

/** Where a model runs: under its own name, or that of one of its quantizations. */
function usesOf(nodes: RunningNode[], id: string, quantization: string | undefined): ModelUse[] {
  const base = id.toLowerCase();
  return nodes.flatMap((node) => {
    const models = node.system?.models ?? [];
    const meant = models.filter((model) => {
      const [own, other] = model.id.toLowerCase().split(":");
      // Under the id without a quantization, any of them may run.
      return own === base && (other ?? quantization?.toLowerCase()) === quantization?.toLowerCase();
    });
    const all = models.filter((model) => model.id.toLowerCase().split(":")[0] === base);
    return (quantization === undefined ? all : meant).map((model) => ({ node, model }));
  });
}

function refuseBusy(name: string, uses: ModelUse[]): void {
  const busy = uses.find(({ model }) => (model.busy ?? 0) > 0);
  const loading = uses.find(({ model }) => model.state === "loading");
  const [use, what] =
    busy === undefined
      ? [loading, "is being loaded"]
      : [busy, `answers ${busy.model.busy} request${busy.model.busy === 1 ? "" : "s"}`];
  if (use === undefined) return;
  throw new CliError(`${name} ${what} in process ${use.node.pid}. Wait for that, or stop llmlb.`);
}

function printRemoval({
  id,
  removed,
  json,
}: {
  id: string;
  removed: boolean;
  json: boolean;
}): ExitCode {
  if (json) return printJson({ id, removed });
  const { green } = colorsFor(process.stdout);
  if (removed) printLine(`${green("Removed")} ${printable(id)}`);
  else printLine(`There is no ${printable(id)} here: nothing to remove. See llmlb list.`);
  return EXIT.ok;
}
