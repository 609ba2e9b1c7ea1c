import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import { directoryOf } from "../model/name.ts";
import { ApiError } from "../wire/error.ts";
import type { NameIndex } from "./names.ts";

/** The canonical id of a repository or of one file of it. */
export function idOf(repo: string, filename: string | null): string {
  return filename === null ? `hf/${repo}` : `hf/${repo}/${filename}`;
}

/** Refuses (409) what is registered already, and an id whose folder is another model's. */
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

/** What is told of a model that is there already; it stays as it is. */
export function duplicate(id: string): ApiError {
  const message = `Model already registered: ${id}. Delete it first to register it anew.`;
  return new ApiError("conflict", message, { code: "model_already_registered", param: "repo" });
}

/** Aliases without those given twice. Throws 409 for one that means another model. */
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
