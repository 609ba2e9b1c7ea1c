import { modelsFolder } from "../../config/fields/hub.ts";
import type { Settings } from "../../config/settings.ts";
import { formatBytes, formatDuration } from "../../config/units.ts";
import { ModelStore, type UnusableFolder } from "../../storage/modelstore.ts";
import { listPendingPulls, type PendingPull } from "../../storage/pendingpull.ts";
import type { StoredModel } from "../../storage/storedmodel.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { findRunningNodes, type RunningNode } from "./runningnode.ts";

/** A model of the models folder, as `llmlb list --json` prints it. */
interface Listed {
  /** What requests call it. */
  name: string;
  format: StoredModel["format"];
  quantization: string | null;
  size_bytes: number;
  /** When its newest file was written. */
  modified_at: string;
  folder: string;
  /** Of a running node's engine; null where none runs, or it does not serve the model. */
  state: string | null;
}

/** Shows what lies in the models folder. */
export async function listLocalModels(settings: Settings, json: boolean): Promise<ExitCode> {
  const root = modelsFolder(settings);
  const store = new ModelStore(root);
  const [{ models, unusable }, pending, nodes] = await Promise.all([
    store.list(),
    listPendingPulls(root),
    findRunningNodes(settings.home),
  ]);
  const listed = await Promise.all(models.map((model) => withOthers(store, model)));
  const rows = listed.flat().map(({ name, model }) => listedOf(name, model, nodes));
  const begun = new Set(pending.map(({ folder }) => folder));
  // What is not whole yet is no fault.
  const faulty = unusable.filter(({ folder }) => !begun.has(folder));
  if (json) return printJson({ models_dir: root, models: rows, ...rest(faulty, pending) });
  const paint = colorsFor(process.stdout);
  if (rows.length === 0) printLine(`No models in ${root}. Fetch one: llmlb pull org/name`);
  else {
    const head = ["NAME", "QUANT", "SIZE", "MODIFIED", "STATE"].map(paint.dim);
    for (const row of table([head, ...rows.map((one) => rowOf(one, paint))])) printLine(row);
  }
  for (const one of pending) printLine(`${paint.yellow("Not whole:")} ${pendingText(one)}`);
  for (const { folder, reason } of faulty) {
    printLine(`${paint.red("Not usable:")} ${printable(`${folder}: ${reason}`)}`);
  }
  return EXIT.ok;
}

/** The model, and others of its quantizations that lie beside it. */
async function withOthers(
  store: ModelStore,
  model: StoredModel,
): Promise<{ name: string; model: StoredModel }[]> {
  const others = await store.otherQuantizations(model);
  const beside = others.map((one) => ({ name: `${model.id}:${one.quantization}`, model: one }));
  return [{ name: model.id, model }, ...beside];
}

function listedOf(name: string, model: StoredModel, nodes: RunningNode[]): Listed {
  const { format, quantization, folder, weights, projector } = model;
  const files = [...weights, ...(projector === undefined ? [] : [projector])];
  const modified = Math.max(...files.map(({ mtimeMs }) => mtimeMs));
  const lowered = name.toLowerCase();
  const served = nodes.flatMap(({ system }) => system?.models ?? []);
  const states = served.filter(({ id }) => id.toLowerCase() === lowered).map(({ state }) => state);
  return {
    ...{ name, format, quantization: quantization ?? null, folder },
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

function rowOf(one: Listed, paint: Colors): string[] {
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
  const next = one.fetching ? "is being fetched" : `go on with: llmlb pull ${again}`;
  return printable(`${id}: ${amount}, ${next}`);
}
