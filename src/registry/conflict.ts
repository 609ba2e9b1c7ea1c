import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import { directoryOf } from "../model/name.ts";
import { ApiError } from "../wire/error.ts";
import type { NameIndex } from "./nameindex.ts";

/** Throws 409 if the id is registered already, or its folder on nodes is another model's. */
export function requireNew(id: string, rows: Iterable<RegisteredRow>): void {
  const folder = directoryOf(id);
  for (const row of rows) {
    if (row.id.toLowerCase() === id.toLowerCase()) throw duplicate(row.id);
    if (directoryOf(row.id) !== folder) continue;
    const message = `Registering ${id} failed: ${row.id} has the same folder on nodes. Delete that \
one first.`;
    throw new ApiError("conflict", message, { code: "model_id_conflict", param: "repo" });
  }
}

/** The error (409) for a model that is registered already. */
export function duplicate(id: string): ApiError {
  const message = `Model already registered: ${id}. Delete it first to register it anew.`;
  return new ApiError("conflict", message, { code: "model_already_registered", param: "repo" });
}

/** The aliases of a model, each once. Throws 409 for one that means another model. */
export function freeAliases(id: string, aliases: readonly string[], index: NameIndex): string[] {
  const seen = new Map(aliases.map((alias) => [alias.toLowerCase(), alias]));
  for (const alias of seen.values()) {
    const owner = index.resolve(alias);
    if (owner === undefined || owner.id === id) continue;
    const message = `The alias ${alias} is taken: it means ${owner.id}. Choose another.`;
    throw new ApiError("conflict", message, { code: "alias_taken", param: "aliases" });
  }
  return [...seen.values()];
}
