import type { WantedList, WantedModel } from "../../wire/sync.ts";

/** A model that lies in the models folder, whole or not. */
export interface OnDisk {
  id: string;
  whole: boolean;
  /** Of what was pulled; undefined where nothing is recorded. */
  revision: string | undefined;
  /** Of the chat template that is recorded, see `templateMark`. */
  template: string | null;
  /** Sync placed some of it. */
  synced: boolean;
}

/** How an attempt to fetch a model ended. */
export interface Attempt {
  /** In the revision that was tried. */
  revision: string | null;
  /** When it may be tried again, on a clock that nobody sets. */
  nextMs: number;
}

export interface PlanInput {
  wanted: WantedList;
  disk: readonly OnDisk[];
  /** Ids that are being fetched because they are wanted. */
  running: readonly string[];
  /** By id, those that failed. */
  attempts: ReadonlyMap<string, Attempt>;
  nowMs: number;
}

export interface Plan {
  pull: WantedModel[];
  /** Those of which all is there but the chat template, which is another by now. */
  retell: WantedModel[];
  /** Ids whose pull is to end. */
  cancel: string[];
  /** Ids of which goes what sync placed. */
  remove: string[];
}

/**
 * What brings a node to what its balancer lists.
 *
 * 1. Wanted, not whole: pull; as a failed attempt of the same revision says, later.
 * 2. Wanted, whole, a person's or of that revision: nothing.
 * 3. Wanted, whole, placed by sync in another revision: pull that one; with another chat template
 *    in the same one: take that.
 * 4. Not wanted, and the list is complete: a pull ends, and what sync placed goes.
 * 5. Not wanted, and the list is not complete: nothing.
 *
 * Ids are compared without regard to case, as folders are.
 */
export function plan({ wanted, disk, running, attempts, nowMs }: PlanInput): Plan {
  const ids = new Set(wanted.models.map(({ id }) => key(id)));
  const lying = new Map(disk.map((one) => [key(one.id), one]));
  const busy = new Set(running.map(key));
  const pull = wanted.models.filter((model) => {
    if (busy.has(key(model.id)) || isThere(lying.get(key(model.id)), model)) return false;
    const attempt = attempts.get(model.id);
    return attempt?.revision !== model.revision || attempt.nextMs <= nowMs;
  });
  const retell = wanted.models.filter((model) => {
    const found = lying.get(key(model.id));
    const isSame = found?.synced !== true || found.template === model.template;
    return !isSame && !busy.has(key(model.id)) && isThere(found, model);
  });
  if (!wanted.complete) return { pull, retell, cancel: [], remove: [] };
  return {
    ...{ pull, retell },
    cancel: running.filter((id) => !ids.has(key(id))),
    remove: disk.filter(({ id, synced }) => synced && !ids.has(key(id))).map(({ id }) => id),
  };
}

function isThere(found: OnDisk | undefined, { revision }: WantedModel): boolean {
  if (found === undefined || !found.whole) return false;
  return !found.synced || revision === null || found.revision === revision;
}

function key(id: string): string {
  return id.toLowerCase();
}
