import type { AssignedModel, AssignedModelList } from "../../wire/sync.ts";

/** A model in the models folder, or the beginning of one. */
export interface LocalModel {
  id: string;
  /** All its files are there. */
  isComplete: boolean;
  /** The revision that was pulled; undefined if none is recorded. */
  revision: string | undefined;
  /** The mark of its recorded chat template, see `chatTemplateHash`; null: none. */
  template: string | null;
  /** Sync placed at least one of its files. */
  isSynced: boolean;
}

/** When a failed pull may be tried again. */
export interface PullRetry {
  /** The revision that failed. Another one is tried at once. */
  revision: string | null;
  /** On the clock of `performance.now()`. */
  nextMs: number;
}

export interface SyncPlanInput {
  /** What the balancer lists for this node. */
  assigned: AssignedModelList;
  local: readonly LocalModel[];
  /** Ids of the models that sync pulls now. */
  running: readonly string[];
  /** For each model whose pull failed, by id. */
  retries: ReadonlyMap<string, PullRetry>;
  nowMs: number;
}

/** What sync has to do now. */
export interface SyncPlan {
  /** Models to pull. */
  pull: AssignedModel[];
  /** Models whose chat template has to be replaced; their files are as they should be. */
  setTemplate: AssignedModel[];
  /** Ids whose pull has to end. */
  cancel: string[];
  /** Ids whose synced files have to be removed. */
  remove: string[];
}

/**
 * Decides how to bring a node to what its balancer lists.
 *
 * 1. Listed and not complete: pull, unless the same revision failed and its back-off runs.
 * 2. Listed and complete, and placed by a person or of the listed revision: nothing.
 * 3. Listed and complete, and synced in another revision: pull the listed one. If only the chat
 *    template differs: set that.
 * 4. Not listed, and the list is complete: cancel its pull and remove what sync placed.
 * 5. Not listed, and the list is not complete: nothing.
 *
 * Ids are compared without regard to case, like folder names.
 */
export function planSync(input: SyncPlanInput): SyncPlan {
  const { assigned, local, running, retries, nowMs } = input;
  const assignedKeys = new Set(assigned.models.map(({ id }) => keyOf(id)));
  const localByKey = new Map(local.map((model) => [keyOf(model.id), model]));
  const runningKeys = new Set(running.map(keyOf));
  const pull = assigned.models.filter((model) => {
    const key = keyOf(model.id);
    if (runningKeys.has(key) || isUpToDate(localByKey.get(key), model)) return false;
    const retry = retries.get(model.id);
    return retry?.revision !== model.revision || retry.nextMs <= nowMs;
  });
  const setTemplate = assigned.models.filter((model) => {
    const found = localByKey.get(keyOf(model.id));
    if (found === undefined || !found.isSynced || found.template === model.template) return false;
    return isUpToDate(found, model) && !runningKeys.has(keyOf(model.id));
  });
  if (!assigned.complete) return { pull, setTemplate, cancel: [], remove: [] };
  const isDropped = (id: string) => !assignedKeys.has(keyOf(id));
  const dropped = local.filter(({ id, isSynced }) => isSynced && isDropped(id));
  return {
    ...{ pull, setTemplate },
    cancel: running.filter(isDropped),
    remove: dropped.map(({ id }) => id),
  };
}

function isUpToDate(found: LocalModel | undefined, { revision }: AssignedModel): boolean {
  if (found === undefined || !found.isComplete) return false;
  return !found.isSynced || revision === null || found.revision === revision;
}

function keyOf(id: string): string {
  return id.toLowerCase();
}
