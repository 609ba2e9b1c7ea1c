import type { Insertable, Kysely, Selectable } from "kysely";
import { ModelContent } from "../../wire/registry.ts";
import { RunSettings } from "../../wire/runsettings.ts";
import { isDuplicate } from "../engine/error.ts";

import { readJsonColumn, StringList } from "./jsoncolumn.ts";
import type { RegisteredModelsTable, StateSchema } from "./schema.ts";

/** A registered model. Times are unix ms. */
export interface RegisteredRow {
  id: string;
  /** `org/name`. */
  repo: string;
  /** Path in the repository; null: the repository as a whole. */
  filename: string | null;
  /** A commit; null until the hub was asked. */
  revision: string | null;
  displayName: string | null;
  /** The hub's. */
  chatTemplate: string | null;
  /** An operator's; it overrides the hub's and that of the weights. */
  ownTemplate: string | null;
  /** How many nodes hold it; null: all. */
  replicas: number | null;
  /** The names of the nodes that may hold it; null: all. */
  nodes: string[] | null;
  /** How it runs; null: as nodes are set up. */
  settings: RunSettings | null;
  /** Null if it is missing or not valid: then the hub must be asked. */
  content: ModelContent | null;
  /** Other names that operators gave it. */
  aliases: string[];
  registeredAt: number;
  updatedAt: number;
}

/** The fields of a registered model that can change. */
type RegisteredChange = Partial<
  Omit<RegisteredRow, "id" | "filename" | "registeredAt" | "updatedAt">
>;

/**
 * The models that clients may ask for, whether a node holds them or not. Every method throws
 * `StorageError`.
 */
export class RegisteredModels {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** All models, in the order of their ids. */
  async list(): Promise<RegisteredRow[]> {
    const rows = await this.#db.selectFrom("registered_models").selectAll().orderBy("id").execute();
    const aliasRows = await this.#db
      .selectFrom("model_aliases")
      .selectAll()
      .orderBy("alias")
      .execute();
    const aliases = Map.groupBy(aliasRows, ({ model_id }) => model_id);
    return rows.map((row) =>
      this.#toModel(row, aliases.get(row.id)?.map(({ alias }) => alias) ?? []),
    );
  }

  /** Adds a model with its aliases; false if its id or one of the aliases exists already. */
  async add(model: RegisteredRow): Promise<boolean> {
    const { id, aliases } = model;
    const taken = await isTaken(() =>
      this.#db.transaction().execute(async (db) => {
        await db.insertInto("registered_models").values(rowOf(model)).execute();
        await addAliases(db, id, aliases);
        // Else the imported model would come back when the registered one is removed.
        await db
          .deleteFrom("imported_models")
          .where("repo", "=", model.repo)
          .where("filename", "is", model.filename)
          .execute();
      }),
    );
    return !taken;
  }

  /** Changes the fields that are present; false if another model has one of the aliases. */
  async change(id: string, change: RegisteredChange, now = Date.now()): Promise<boolean> {
    const { aliases, content, nodes, settings, ...named } = change;
    const { displayName, chatTemplate, ownTemplate, ...rest } = named;
    const columns = {
      ...rest,
      ...(displayName === undefined ? {} : { display_name: displayName }),
      ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
      ...(ownTemplate === undefined ? {} : { own_template: ownTemplate }),
      ...(nodes === undefined ? {} : { nodes: nodes === null ? null : JSON.stringify(nodes) }),
      ...(settings === undefined ? {} : { settings: settings && JSON.stringify(settings) }),
      ...(content === undefined ? {} : { content: JSON.stringify(content) }),
      updated_at: now,
    };
    const taken = await isTaken(() =>
      this.#db.transaction().execute(async (db) => {
        await db.updateTable("registered_models").set(columns).where("id", "=", id).execute();
        if (aliases === undefined) return;
        await db.deleteFrom("model_aliases").where("model_id", "=", id).execute();
        await addAliases(db, id, aliases);
      }),
    );
    return !taken;
  }

  /** Removes a model; false if there is none. */
  async remove(id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("registered_models").where("id", "=", id);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }

  #toModel(row: Selectable<RegisteredModelsTable>, aliases: string[]): RegisteredRow {
    const { display_name: displayName, chat_template: chatTemplate, nodes, content } = row;
    const { id, repo, filename, revision, replicas } = row;
    return {
      ...{ id, repo, filename, revision, displayName, chatTemplate, replicas, aliases },
      ownTemplate: row.own_template,
      nodes: readJsonColumn(nodes, StringList.nullable(), null),
      settings: readJsonColumn<RunSettings | null>(row.settings, RunSettings.nullable(), null),
      content: readJsonColumn<ModelContent | null>(content, ModelContent.nullable(), null),
      registeredAt: row.registered_at,
      updatedAt: row.updated_at,
    };
  }
}

function rowOf(model: RegisteredRow): Insertable<RegisteredModelsTable> {
  const { id, repo, filename, revision, replicas } = model;
  return {
    ...{ id, repo, filename, revision, replicas },
    display_name: model.displayName,
    chat_template: model.chatTemplate,
    own_template: model.ownTemplate,
    nodes: model.nodes === null ? null : JSON.stringify(model.nodes),
    settings: model.settings && JSON.stringify(model.settings),
    content: JSON.stringify(model.content),
    registered_at: model.registeredAt,
    updated_at: model.updatedAt,
  };
}

async function addAliases(db: Kysely<StateSchema>, id: string, aliases: string[]): Promise<void> {
  if (aliases.length === 0) return;
  const rows = aliases.map((alias) => ({ alias, model_id: id }));
  await db.insertInto("model_aliases").values(rows).execute();
}

/** Whether `write` was refused because the id or an alias exists already. */
async function isTaken(write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    if (isDuplicate(error, "registered_models.id")) return true;
    if (isDuplicate(error, "model_aliases.alias")) return true;
    throw error;
  }
}
