import type { HeldModel, NodeModelView } from "../../wire/sync.ts";
import type { PullJob } from "../sync/job.ts";
import type { Pulls } from "../sync/pulls.ts";
import type { Sync } from "../sync/sync.ts";
import type { Catalog } from "./catalog.ts";
import type { ModelScanner, ScannedModel } from "./scanner.ts";

export interface ModelParts {
  catalog: Catalog;
  shelf: ModelScanner;
  pulls: Pulls;
  /** Absent: the node has no balancer. */
  sync: Sync | undefined;
}

/** All that a node has, fetches, or failed to fetch, in the order of their ids. */
export function modelViews(parts: ModelParts): NodeModelView[] {
  const views = new Map<string, NodeModelView>();
  const add = (view: NodeModelView) => {
    const key = view.id.toLowerCase();
    if (!views.has(key)) views.set(key, view);
  };
  for (const job of parts.pulls.list()) if (job.isRunning) add(viewOfJob(job));
  for (const shelved of parts.shelf.models) add(viewOfShelved(shelved, parts.catalog));
  for (const [id, { failure }] of parts.sync?.missing ?? []) {
    const error = { code: failure.code, message: failure.message };
    add({ ...empty(id), state: "failed", placed_by: "sync", error });
  }
  for (const { id, reason } of parts.shelf.unusable) {
    const message = `The files of ${id} make no model: ${reason}.`;
    add({ ...empty(id), state: "unusable", error: { code: "model_incomplete", message } });
  }
  for (const { id } of parts.catalog.list()) {
    add({ ...empty(id), state: "ready", names: [id], placed_by: "settings" });
  }
  return [...views.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The same as the balancer wants to know it. */
export function heldModels(parts: ModelParts): HeldModel[] {
  const files = new Map(parts.shelf.models.map((one) => [one.model.id, verifiedIn(one)]));
  return modelViews(parts).flatMap(({ id, state, revision, progress, error, placed_by: by }) => {
    if (by === "settings") return [];
    const { files: _, ...rest } = progress ?? { files: [] };
    const told = progress === null ? null : (rest as HeldModel["progress"]);
    const held = { id, state, revision, files: files.get(id) ?? [], error };
    return [{ ...held, progress: told }];
  });
}

function viewOfJob(job: PullJob): NodeModelView {
  const progress = job.snapshot();
  const { model, placedBy, revision, holder } = job;
  const message = `It waits for ${holder}, which fetches the files from the hub.`;
  return {
    ...empty(model),
    state: progress.state === "waiting" ? "waiting" : "pulling",
    ...{ size_bytes: progress.total_bytes, revision, placed_by: placedBy, progress },
    error: holder === undefined ? null : { code: "waiting_for_node", message },
  };
}

function viewOfShelved({ model, record }: ScannedModel, catalog: Catalog): NodeModelView {
  const { id, format, quantization = null, weights, projector, runtime } = model;
  const files = [...weights, ...(projector === undefined ? [] : [projector])];
  const isSynced = record?.files.some(({ placed_by: by }) => by === "sync") ?? false;
  const served = catalog.listed().filter(({ model: one }) => isOf(one.id, id));
  const message = `${id} cannot be run here: the engine runs GGUF files, and it has ${format}.`;
  const runs = runtime === "llama_cpp";
  return {
    ...empty(id),
    state: runs ? "ready" : "unusable",
    names: served.map(({ name }) => name),
    ...{ format, quantization, revision: record?.revision ?? null },
    size_bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    placed_by: isSynced ? "sync" : "user",
    error: runs ? null : { code: "no_engine", message },
  };
}

function isOf(name: string, id: string): boolean {
  return name.split(":")[0]?.toLowerCase() === id.toLowerCase();
}

/** Files that other nodes may get. */
function verifiedIn({ record }: ScannedModel): string[] {
  return record?.files.flatMap(({ name, sha256 }) => (sha256 === null ? [] : [name])) ?? [];
}

function empty(id: string): NodeModelView {
  return {
    ...{ id, state: "waiting", names: [], format: null, quantization: null, size_bytes: 0 },
    ...{ revision: null, placed_by: "user", progress: null, error: null },
  };
}
