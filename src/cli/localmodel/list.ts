import { environment } from "../../config/environment.ts";
import { modelsFolder } from "../../config/fields/hub.ts";
import { sourceFolders } from "../../config/modelsources.ts";
import type { Settings } from "../../config/settings.ts";
import { formatBytes, formatDuration } from "../../config/units.ts";
import { ModelStore, type UnusableFolder } from "../../storage/modelstore.ts";
import { listPendingPulls, type PendingPull } from "../../storage/pendingpull.ts";
import type { FoundModel, SourceOwner } from "../../storage/sources/foundmodel.ts";
import { ModelSources } from "../../storage/sources/modelsources.ts";
import type { StoredModel } from "../../storage/storedmodel.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine } from "../terminal/output.ts";
import { shellWord } from "../terminal/shellword.ts";
import { table } from "../terminal/table.ts";
import { findRunningNodes, type RunningNode } from "./runningnode.ts";

/** A model of the models folder, as `llmlb list --json` prints it. */
interface ListEntry {
  /** The name that requests use. */
  name: string;
  format: StoredModel["format"];
  quantization: string | null;
  size_bytes: number;
  /** When the newest file of the model was written. */
  modified_at: string;
  folder: string;
  /** The program whose model it is; null: it is in the models folder. */
  owner: SourceOwner | null;
  /** State of the model on a running node; null if no node runs or serves it. */
  state: string | null;
}

/** Prints the models of the models folder, and which are incomplete or unusable. */
export async function listLocalModels(settings: Settings, json: boolean): Promise<ExitCode> {
  const root = modelsFolder(settings);
  const store = new ModelStore(root);
  const sources = new ModelSources(sourceFolders(settings.modelSources, environment()));
  const [{ models, unusable }, pending, nodes, found] = await Promise.all([
    store.list(),
    listPendingPulls(root),
    findRunningNodes(settings.home),
    sources.list(),
  ]);
  const listed = await Promise.all(models.map((model) => withOtherQuantizations(store, model)));
  const ids = new Set(models.map(({ id }) => id.toLowerCase()));
  const others = found.filter(({ model }) => !ids.has(model.id.toLowerCase()));
  const rows = [
    ...listed.flat().map((one) => listEntryOf({ ...one, owner: null }, nodes)),
    ...others.flatMap(entriesOf).map((one) => listEntryOf(one, nodes)),
  ];
  const incomplete = new Set(pending.map(({ folder }) => folder));
  // A model that is not complete yet is not faulty.
  const faulty = unusable.filter(({ folder }) => !incomplete.has(folder));
  if (json) return printJson({ models_dir: root, models: rows, ...rest(faulty, pending) });
  const paint = colorsFor(process.stdout);
  if (rows.length === 0) {
    printLine(`No models in ${root}. Fetch one: llmlb pull org/name. What is served: llmlb status`);
  } else {
    const isForeign = rows.some(({ owner }) => owner !== null);
    const titles = ["NAME", "QUANT", "SIZE", "MODIFIED", "STATE", ...(isForeign ? ["OF"] : [])];
    const cells = rows.map((one) => [
      ...rowOf(one, paint),
      ...(isForeign ? [one.owner ?? ""] : []),
    ]);
    for (const row of table([titles.map(paint.dim), ...cells])) printLine(row);
  }
  for (const one of pending) printLine(`${paint.yellow("Not whole:")} ${pendingText(one)}`);
  for (const { folder, reason } of faulty) {
    printLine(`${paint.red("Not usable:")} ${printable(`${folder}: ${reason}`)}`);
  }
  return EXIT.ok;
}

interface NamedModel {
  name: string;
  model: StoredModel;
  owner: SourceOwner | null;
}

/** A model of another program, and its other quantizations. */
function entriesOf({ model, otherQuantizations, owner }: FoundModel): NamedModel[] {
  const others = otherQuantizations.map((one) => {
    return { name: `${model.id}:${one.quantization}`, model: one, owner };
  });
  return [{ name: model.id, model, owner }, ...others];
}

/** The model, and its other quantizations in the same folder. */
async function withOtherQuantizations(
  store: ModelStore,
  model: StoredModel,
): Promise<{ name: string; model: StoredModel }[]> {
  const others = await store.otherQuantizations(model);
  const named = others.map((one) => ({ name: `${model.id}:${one.quantization}`, model: one }));
  return [{ name: model.id, model }, ...named];
}

function listEntryOf({ name, model, owner }: NamedModel, nodes: RunningNode[]): ListEntry {
  const { format, quantization, folder, weights, projector } = model;
  const files = [...weights, ...(projector === undefined ? [] : [projector])];
  const modified = Math.max(...files.map(({ mtimeMs }) => mtimeMs));
  const lowered = name.toLowerCase();
  const served = nodes.flatMap(({ system }) => system?.models ?? []);
  const states = served.filter(({ id }) => id.toLowerCase() === lowered).map(({ state }) => state);
  return {
    ...{ name, format, quantization: quantization ?? null, folder, owner },
    size_bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    modified_at: new Date(modified).toISOString(),
    state: states.find((state) => state !== "unloaded") ?? states[0] ?? null,
  };
}

function rest(unusable: UnusableFolder[], pending: PendingPull[]): object {
  return {
    unusable,
    incomplete: pending.map(({ repo, quantization, totalBytes, ...one }) => ({
      ...{ ...one, repo: repo ?? null, quantization: quantization ?? null },
      total_bytes: totalBytes,
    })),
  };
}

function rowOf(one: ListEntry, paint: Colors): string[] {
  const ageMs = Math.max(0, Date.now() - Date.parse(one.modified_at));
  const state = one.state === "ready" ? "loaded" : (one.state ?? "-");
  return [
    printable(one.name),
    printable(one.quantization ?? "-"),
    formatBytes(one.size_bytes),
    ageMs < 60_000 ? "just now" : `${formatDuration(Math.round(ageMs / 60_000) * 60_000)} ago`,
    state === "loaded" ? paint.green(state) : state === "failed" ? paint.red(state) : state,
  ];
}

function pendingText({ id, repo, quantization, ...one }: PendingPull): string {
  const amount = `${formatBytes(one.bytes)} of ${formatBytes(one.totalBytes)}`;
  const isFile = /\.gguf$/i.test(id);
  const whole = quantization === undefined ? repo : `${repo}:${quantization}`;
  const again = isFile || whole === undefined ? id : whole;
  const next = one.fetching ? "is being fetched" : `go on with: llmlb pull ${shellWord(again)}`;
  return printable(`${id}: ${amount}, ${next}`);
}
