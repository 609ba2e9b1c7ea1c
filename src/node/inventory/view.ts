import type { NodeModelReport, NodeModelView } from "../../wire/sync.ts";
import type { Catalog } from "../models/catalog.ts";
import type { ModelScanner } from "../models/scanner.ts";
import type { ScannedModel } from "../models/served.ts";
import type { PullJob } from "../sync/pulljob.ts";
import type { Pulls } from "../sync/pulls.ts";
import type { Sync } from "../sync/sync.ts";

/** Everything that knows of models on a node. */
export interface InventoryParts {
  catalog: Catalog;
  scanner: ModelScanner;
  pulls: Pulls;
  /** Undefined: the node has no balancer. */
  sync: Sync | undefined;
}

/** All models that a node has, pulls, or failed to pull, sorted by id. */
export function nodeModelViews({ catalog, scanner, pulls, sync }: InventoryParts): NodeModelView[] {
  const views = new Map<string, NodeModelView>();
  // The first view of an id wins.
  const add = (view: NodeModelView) => {
    const key = view.id.toLowerCase();
    if (!views.has(key)) views.set(key, view);
  };
  for (const job of pulls.list()) if (job.isRunning) add(pullView(job));
  for (const scanned of scanner.models) add(scannedView(scanned, catalog));
  for (const [id, { code, message }] of sync?.failures.errors() ?? []) {
    add({ ...emptyView(id), state: "failed", placed_by: "sync", error: { code, message } });
  }
  for (const { id, reason } of scanner.unusable) {
    const message = `The files of ${id} make no model: ${reason}.`;
    add({ ...emptyView(id), state: "unusable", error: { code: "model_incomplete", message } });
  }
  for (const { id } of catalog.list()) {
    add({ ...emptyView(id), state: "ready", names: [id], placed_by: "settings" });
  }
  return [...views.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The same for a report to the balancer, without the models that the settings name. */
export function reportedModels(parts: InventoryParts): NodeModelReport[] {
  const files = new Map(parts.scanner.models.map((one) => [one.model.id, verifiedFiles(one)]));
  const views = nodeModelViews(parts).filter(({ placed_by: by }) => by !== "settings");
  return views.map(({ id, state, revision, progress, error }) => {
    const report = { id, state, revision, files: files.get(id) ?? [], error };
    if (progress === null) return { ...report, progress };
    const { files: _, ...total } = progress;
    return { ...report, progress: total };
  });
}

function pullView(job: PullJob): NodeModelView {
  const progress = job.snapshot();
  const { model, placedBy, revision, leaseHolder } = job;
  const message = `It waits for ${leaseHolder}, which fetches the files from the hub.`;
  return {
    ...emptyView(model),
    state: progress.state === "waiting" ? "waiting" : "pulling",
    ...{ size_bytes: progress.total_bytes, revision, placed_by: placedBy, progress },
    error: leaseHolder === undefined ? null : { code: "waiting_for_node", message },
  };
}

function scannedView({ model, record }: ScannedModel, catalog: Catalog): NodeModelView {
  const { id, format, quantization = null, weights, projector, runtime } = model;
  const files = [...weights, ...(projector === undefined ? [] : [projector])];
  const isSynced = record?.files.some(({ placed_by: by }) => by === "sync") ?? false;
  const listed = catalog.listedNames().filter((one) => isOfModel(one.model.id, id));
  const message = `${id} cannot be run here: the engine runs GGUF files, and it has ${format}.`;
  const canRun = runtime === "llama_cpp";
  return {
    ...emptyView(id),
    state: canRun ? "ready" : "unusable",
    names: listed.map(({ name }) => name),
    ...{ format, quantization, revision: record?.revision ?? null },
    size_bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    placed_by: isSynced ? "sync" : "user",
    error: canRun ? null : { code: "no_engine", message },
  };
}

/** Whether a name is the model's id, with or without a quantization. */
function isOfModel(name: string, id: string): boolean {
  return name.split(":")[0]?.toLowerCase() === id.toLowerCase();
}

/** Names of the files that other nodes may fetch. */
function verifiedFiles({ record }: ScannedModel): string[] {
  return record?.files.flatMap(({ name, sha256 }) => (sha256 === null ? [] : [name])) ?? [];
}

function emptyView(id: string): NodeModelView {
  return {
    ...{ id, state: "waiting", names: [], format: null, quantization: null, size_bytes: 0 },
    ...{ revision: null, placed_by: "user", progress: null, error: null },
  };
}
