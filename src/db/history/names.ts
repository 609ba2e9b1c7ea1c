import type { RowReader } from "../engine/store.ts";
import type { NewRequestRow } from "./records.ts";
import type { HistorySchema } from "./schema.ts";

/** What has a name in the history, so that it is known by it after it is gone. */
export type NameKind = HistorySchema["names"]["kind"];

/** What endpoints, keys and users were called last. Every query throws `StorageError`. */
export class Names {
  readonly #reader: RowReader<HistorySchema>;

  constructor(reader: RowReader<HistorySchema>) {
    this.#reader = reader;
  }

  /** The ids of what has this id or was last called so. */
  async idsOf(kind: NameKind, idOrName: string): Promise<string[]> {
    const rows = await this.#reader.kysely
      .selectFrom("names")
      .select("id")
      .where("kind", "=", kind)
      .where((row) => row.or([row("id", "=", idOrName), row("name", "=", idOrName)]))
      .limit(IDS_MAX)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** The names of these ids, as far as they are known. */
  async of(kind: NameKind, ids: Iterable<string | null>): Promise<Map<string, string>> {
    const wanted = [...new Set(ids)].filter((id) => id !== null && id !== "") as string[];
    const names = new Map<string, string>();
    for (let at = 0; at < wanted.length; at += IDS_MAX) {
      const rows = await this.#reader.kysely
        .selectFrom("names")
        .select(["id", "name"])
        .where("kind", "=", kind)
        .where("id", "in", wanted.slice(at, at + IDS_MAX))
        .execute();
      for (const { id, name } of rows) names.set(id, name);
    }
    return names;
  }
}

/** Ids in one query. */
const IDS_MAX = 500;

/** The names in a batch of requests, each once. */
export class NameRows {
  readonly #names: Record<NameKind, Map<string, string>> = {
    ...{ endpoint: new Map(), key: new Map(), user: new Map() },
  };

  /** Notes what a request's endpoint, key and user are called. */
  add(request: NewRequestRow): void {
    this.#add("endpoint", request.endpointId, request.endpointName);
    this.#add("key", request.apiKeyId, request.apiKeyName);
    this.#add("user", request.userId, request.userName);
  }

  /** The parameters of the statement `name`. */
  get rows(): unknown[][] {
    const kinds = Object.entries(this.#names);
    return kinds.flatMap(([kind, names]) => Array.from(names, ([id, name]) => [kind, id, name]));
  }

  #add(kind: NameKind, id: string | null | undefined, name: string | null | undefined): void {
    if (id && name && name !== id) this.#names[kind].set(id, name);
  }
}
