import type { Insertable, Kysely, Selectable } from "kysely";
import { ModelContent } from "../../wire/registry.ts";
import { isDuplicate } from "../engine/error.ts";
import type { RegisteredModelsTable, StateSchema } from "../schema.ts";
import { readJsonColumn, StringList } from "./jsoncolumn.ts";

/** A model that was registered. */
export interface RegisteredRow {
  id: string;
  /** `org/name`. */
  repo: string;
  /** Path in the repository; null: the repository as a whole. */
  filename: string | null;
  /** A commit; null as long as the hub was not asked. */
  revision: string | null;
  displayName: string | null;
  /** As the hub tells it. */
  chatTemplate: string | null;
  /** As an operator gave it: it goes before the hub's and that of the weights. */
  ownTemplate: string | null;
  /** How many nodes shall have it; null: all. */
  replicas: number | null;
  /** Which nodes shall have it, by name; null: all. */
  nodes: string[] | null;
  /** Null if it is none as it should be: then the hub must be asked. */
  content: ModelContent | null;
  /** What an operator calls it. */
  aliases: string[];
  registeredAt: number;
  updatedAt: number;
}

/** What can be changed of a registered model. */
export type RegisteredChange = Partial<
  Omit<RegisteredRow, "id" | "filename" | "registeredAt" | "updatedAt">
>;

/** Models that clients may ask for, whether a node has them or not. */
export class RegisteredModels {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** All of them, in the order of their ids. */
  async list(): Promise<RegisteredRow[]> {
    const rows = await this.#db.selectFrom("registered_models").selectAll().orderBy("id").execute();
    const named = await this.#db.selectFrom("model_aliases").selectAll().orderBy("alias").execute();
    const aliases = Map.groupBy(named, ({ model_id }) => model_id);
    return rows.map((row) => this.#read(row, aliases.get(row.id)?.map(({ alias }) => alias) ?? []));
  }

  /** Adds one with its aliases; false if it, or one of the aliases, is there already. */
  async add(given: RegisteredRow): Promise<boolean> {
    const { id, aliases } = given;
    const taken = await takenOr(() =>
      this.#db.transaction().execute(async (db) => {
        await db.insertInto("registered_models").values(rowOf(given)).execute();
        await addAliases(db, id, aliases);
        // An imported model that is registered now must not come back when it is removed.
        await db
          .deleteFrom("imported_models")
          .where("repo", "=", given.repo)
          .where("filename", "is", given.filename)
          .execute();
      }),
    );
    return !taken;
  }

  /** Changes what is given. False if an alias is taken. */
  async change(id: string, given: RegisteredChange, now = Date.now()): Promise<boolean> {
    const { aliases, content, nodes, displayName, chatTemplate, ownTemplate, ...rest } = given;
    const columns = {
      ...rest,
      ...(displayName === undefined ? {} : { display_name: displayName }),
      ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
      ...(ownTemplate === undefined ? {} : { own_template: ownTemplate }),
      ...(nodes === undefined ? {} : { nodes: nodes === null ? null : JSON.stringify(nodes) }),
      ...(content === undefined ? {} : { content: JSON.stringify(content) }),
      updated_at: now,
    };
    const taken = await takenOr(() =>
      this.#db.transaction().execute(async (db) => {
        await db.updateTable("registered_models").set(columns).where("id", "=", id).execute();
        if (aliases === undefined) return;
        await db.deleteFrom("model_aliases").where("model_id", "=", id).execute();
        await addAliases(db, id, aliases);
      }),
    );
    return !taken;
  }

  /** Removes one; false if there is none. */
  async remove(id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("registered_models").where("id", "=", id);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }

  #read(row: Selectable<RegisteredModelsTable>, aliases: string[]): RegisteredRow {
    const { display_name: displayName, chat_template: chatTemplate, nodes, content } = row;
    const { id, repo, filename, revision, replicas } = row;
    return {
      ...{ id, repo, filename, revision, displayName, chatTemplate, replicas, aliases },
      ownTemplate: row.own_template,
      nodes: readJsonColumn(nodes, StringList.nullable(), null),
      content: readJsonColumn<ModelContent | null>(content, ModelContent.nullable(), null),
      registeredAt: row.registered_at,
      updatedAt: row.updated_at,
    };
  }
}

function rowOf(given: RegisteredRow): Insertable<RegisteredModelsTable> {
  const { id, repo, filename, revision, replicas } = given;
  return {
    ...{ id, repo, filename, revision, replicas },
    display_name: given.displayName,
    chat_template: given.chatTemplate,
    own_template: given.ownTemplate,
    nodes: given.nodes === null ? null : JSON.stringify(given.nodes),
    content: JSON.stringify(given.content),
    registered_at: given.registeredAt,
    updated_at: given.updatedAt,
  };
}

async function addAliases(db: Kysely<StateSchema>, id: string, aliases: string[]): Promise<void> {
  if (aliases.length === 0) return;
  const rows = aliases.map((alias) => ({ alias, model_id: id }));
  await db.insertInto("model_aliases").values(rows).execute();
}

/** True if a row was refused since there is one like it. */
async function takenOr(write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    if (isDuplicate(error, "registered_models.id")) return true;
    if (isDuplicate(error, "model_aliases.alias")) return true;
    throw error;
  }
}
