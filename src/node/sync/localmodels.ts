import { chatTemplateHash } from "../../model/chattemplatehash.ts";
import type { ModelRecord } from "../../storage/modelrecord.ts";
import type { ModelStore } from "../../storage/modelstore.ts";
import type { ModelScanner } from "../models/scanner.ts";
import type { LocalModel } from "./plan.ts";

/** The models in the models folder as of the last scan, and those whose pull is not complete. */
export async function localModels(scanner: ModelScanner, store: ModelStore): Promise<LocalModel[]> {
  const models = [
    ...scanner.models.map(({ model: { id }, record }) => localModel(id, true, record)),
    ...scanner.unusable.map(({ id, record }) => localModel(id, false, record)),
  ];
  const ids = new Set(models.map(({ id }) => id));
  for (const { id, synced: isSynced } of await store.pendingModels()) {
    if (ids.has(id)) continue;
    models.push({ id, isComplete: false, revision: undefined, template: null, isSynced });
  }
  return models;
}

function localModel(id: string, isComplete: boolean, record: ModelRecord | undefined): LocalModel {
  const isSynced = record?.files.some(({ placed_by: by }) => by === "sync") ?? false;
  const template = chatTemplateHash(record?.chat_template);
  return { id, isComplete, revision: record?.revision, template, isSynced };
}
