import type { Selectable } from "kysely";
import { Mutex } from "../../lib/mutex.ts";
import type { BatchStatement, RowStore } from "../engine/store.ts";
import { readJsonColumn, StringList } from "./jsoncolumn.ts";
import type { EndpointModelsTable, StateSchema } from "./schema.ts";

/** A model as one endpoint lists it. */
export interface EndpointModel {
  /** The endpoint's own name for it; case matters. */
  modelId: string;
  /** Null if the endpoint does not list any. */
  capabilities: string[] | null;
  supportedApis: string[];
  maxTokens: number | null;
  canonicalName: string | null;
  ownedBy: string | null;
  /** Unix ms. */
  createdAt: number | null;
}

/** A model of a list to store; all but the id have defaults. */
export type ListedModel = Pick<EndpointModel, "modelId"> & Partial<EndpointModel>;

/** What a new list changed. `updated` counts the models that both lists have. */
interface ModelListChange {
  added: number;
  removed: number;
  updated: number;
}

/** The models that each endpoint lists. Every method throws `StorageError`. */
export class EndpointModels {
  readonly #store: RowStore<StateSchema>;
  readonly #replacing = new Mutex();
  readonly #sql: Record<"put" | "drop" | "note", string>;

  constructor(store: RowStore<StateSchema>) {
    this.#store = store;
    this.#sql = compile(store);
  }

  /**
   * Replaces an endpoint's list in one transaction; on failure the old list stays. Only differences
   * are written, so that an unchanged list costs one row. Of two models with the same id the first
   * is stored; empty ids are skipped. Returns undefined if there is no such endpoint.
   */
  replace(
    endpointId: string,
    models: readonly ListedModel[],
    syncedAt = Date.now(),
  ): Promise<ModelListChange | undefined> {
    // One at a time: otherwise two lists that arrive together would be mixed.
    return this.#replacing.run(() => this.#replace(endpointId, models, syncedAt));
  }

  /** At most `limit` models of an endpoint whose ids come after `after`, by their ids. */
  async of(
    endpointId: string,
    { after = "", limit }: { after?: string; limit: number },
  ): Promise<EndpointModel[]> {
    const rows = await this.#store.kysely
      .selectFrom("endpoint_models")
      .selectAll()
      .where("endpoint_id", "=", endpointId)
      .where("model_id", ">", after)
      .orderBy("model_id")
      .limit(limit)
      .execute();
    return rows.map(toModel);
  }

  async #replace(endpointId: string, models: readonly ListedModel[], syncedAt: number) {
    const after = new Map<string, string>();
    for (const model of models) {
      if (model.modelId === "" || after.has(model.modelId)) continue;
      after.set(model.modelId, paramsOf(toRow(endpointId, model)));
    }
    const hash = Bun.hash([...after.values()].join("\n")).toString(36);
    const endpoint = await this.#store.kysely
      .selectFrom("endpoints")
      .select("models_hash")
      .where("id", "=", endpointId)
      .executeTakeFirst();
    if (endpoint === undefined) return undefined;
    const isSame = endpoint.models_hash === hash;
    const before = isSame ? after : await this.#stored(endpointId);
    const changed = [...after].filter(([id, params]) => before.get(id) !== params);
    const gone = [...before.keys()].filter((id) => !after.has(id));
    const statements: BatchStatement[] = [
      { sql: this.#sql.drop, rows: gone.map((id) => JSON.stringify([endpointId, id])) },
      { sql: this.#sql.put, rows: changed.map(([, params]) => params) },
      { sql: this.#sql.note, rows: [JSON.stringify([after.size, syncedAt, hash, endpointId])] },
    ];
    await this.#store.batch(statements);
    const updated = before.size - gone.length;
    return { added: after.size - updated, removed: gone.length, updated };
  }

  async #stored(endpointId: string): Promise<Map<string, string>> {
    const query = this.#store.kysely.selectFrom("endpoint_models").selectAll();
    const rows = await query.where("endpoint_id", "=", endpointId).execute();
    return new Map(rows.map((row) => [row.model_id, paramsOf(row)]));
  }
}

function compile({ kysely }: RowStore<StateSchema>) {
  const put = kysely
    .insertInto("endpoint_models")
    .values(toRow("", { modelId: "" }))
    .onConflict((conflict) =>
      conflict.columns(["endpoint_id", "model_id"]).doUpdateSet((row) => ({
        capabilities: row.ref("excluded.capabilities"),
        supported_apis: row.ref("excluded.supported_apis"),
        max_tokens: row.ref("excluded.max_tokens"),
        canonical_name: row.ref("excluded.canonical_name"),
        owned_by: row.ref("excluded.owned_by"),
        created_at: row.ref("excluded.created_at"),
      })),
    );
  const drop = kysely
    .deleteFrom("endpoint_models")
    .where("endpoint_id", "=", "")
    .where("model_id", "=", "");
  const note = kysely
    .updateTable("endpoints")
    .set({ model_count: 0, models_synced_at: 0, models_hash: "" })
    .where("id", "=", "");
  return { put: put.compile().sql, drop: drop.compile().sql, note: note.compile().sql };
}

/** JSON of the columns, in the order of the statement's parameters, which is that of `toRow`. */
function paramsOf(row: EndpointModelsTable): string {
  const { endpoint_id, model_id, capabilities, supported_apis } = row;
  const { max_tokens, canonical_name, owned_by, created_at } = row;
  return JSON.stringify([
    ...[endpoint_id, model_id, capabilities, supported_apis],
    ...[max_tokens, canonical_name, owned_by, created_at],
  ]);
}

function toRow(endpointId: string, model: ListedModel): EndpointModelsTable {
  const { capabilities = null, supportedApis = ["chat_completions"] } = model;
  return {
    endpoint_id: endpointId,
    model_id: model.modelId,
    capabilities: capabilities === null ? null : JSON.stringify(capabilities),
    supported_apis: JSON.stringify(supportedApis),
    max_tokens: model.maxTokens ?? null,
    canonical_name: model.canonicalName ?? null,
    owned_by: model.ownedBy ?? null,
    created_at: model.createdAt ?? null,
  };
}

function toModel(row: Selectable<EndpointModelsTable>): EndpointModel {
  return {
    modelId: row.model_id,
    capabilities: readJsonColumn(row.capabilities, StringList.nullable(), null),
    supportedApis: readJsonColumn(row.supported_apis, StringList, []),
    maxTokens: row.max_tokens,
    canonicalName: row.canonical_name,
    ownedBy: row.owned_by,
    createdAt: row.created_at,
  };
}
