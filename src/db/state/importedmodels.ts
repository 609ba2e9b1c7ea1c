import type { Kysely } from "kysely";
import { readJsonColumn, StringList } from "./jsoncolumn.ts";
import type { StateSchema } from "./schema.ts";

/** A model that an earlier program had registered, as described in its `models.json`. */
export interface ImportedModel {
  name: string;
  repo: string | null;
  filename: string | null;
  /** Where it came from, e.g. `hf_gguf`. */
  source: string | null;
  description: string | null;
  chatTemplate: string | null;
  sizeBytes: number | null;
  tags: string[];
}

/** All imported models, in the order of their names. Throws `StorageError`. */
export async function importedModels(db: Kysely<StateSchema>): Promise<ImportedModel[]> {
  const rows = await db.selectFrom("imported_models").selectAll().orderBy("name").execute();
  return rows.map(({ size_bytes: sizeBytes, chat_template: chatTemplate, tags, ...rest }) => ({
    ...rest,
    sizeBytes,
    chatTemplate,
    tags: readJsonColumn(tags, StringList, []),
  }));
}
