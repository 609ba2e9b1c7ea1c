import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Kysely } from "kysely";
import type { Logger } from "../../lib/log.ts";
import type { RowStore } from "../engine/store.ts";
import { requestBatch } from "../history/batch.ts";
import type { NewRequestRow } from "../history/records.ts";
import type { HistorySchema } from "../history/schema.ts";
import { parseAddress } from "../state/address.ts";
import type { NewEndpoint } from "../state/endpoint.ts";
import { Endpoints } from "../state/endpoints.ts";
import type { EndpointWriter } from "../state/endpointwriter.ts";
import type { ImportedModel } from "../state/importedmodels.ts";
import type { ImportsTable, StateSchema } from "../state/schema.ts";
import type { SecretKey } from "../state/secretkey.ts";
import { readEndpoints, readModels, readNodes, readRequests } from "./files.ts";

interface LegacyOptions {
  /** The data folder, absolute. */
  home: string;
  state: RowStore<StateSchema>;
  history: RowStore<HistorySchema>;
  secret: SecretKey;
  writer: EndpointWriter;
  log: Logger;
}

/** A file of earlier programs, and how its contents are imported. */
interface LegacyFile {
  name: string;
  /** Where its import is noted. */
  imports: Kysely<{ imports: ImportsTable }>;
  /**
   * Stores the contents and the note in one transaction. Returns how many rows were stored. Throws,
   * and stores nothing, if the contents are not valid.
   */
  store(contents: unknown, note: ImportsTable): Promise<number>;
}

/** Largest file that is imported, since it is read into memory as a whole. */
const BYTES_MAX = 512 * 2 ** 20;

/**
 * Imports the JSON files of earlier programs, each in one transaction, and renames them to
 * `*.migrated`. The transaction also notes the file's hash, so that after a crash before the
 * renaming the file is only renamed. A file that cannot be imported is logged and left as it is.
 */
export async function importLegacy(options: LegacyOptions): Promise<void> {
  const { home, log } = options;
  for (const file of filesOf(options)) {
    const path = join(home, file.name);
    if (!existsSync(path)) continue;
    try {
      const rows = await importFile(path, file);
      renameImported(path);
      log.info({ file: file.name, rows: rows ?? "imported before" }, "legacy.imported");
    } catch (err) {
      const advice = "it is left as it is: repair it and start again, or remove it";
      log.error({ file: path, err, advice }, "legacy.unreadable");
    }
  }
}

function filesOf(options: LegacyOptions): LegacyFile[] {
  const { state, history } = options;
  const stateImports = state.kysely.$pickTables<"imports">();
  return [
    {
      name: "endpoints.json",
      imports: stateImports,
      store: (contents, note) => storeEndpoints(options, readEndpoints(contents), note),
    },
    {
      name: "nodes.json",
      imports: stateImports,
      store: (contents, note) => storeEndpoints(options, readNodes(contents), note),
    },
    {
      name: "models.json",
      imports: stateImports,
      store: (contents, note) => storeModels(state, readModels(contents), note),
    },
    {
      name: "request_history.json",
      imports: history.kysely.$pickTables<"imports">(),
      store: (contents, note) => storeRequests(history, readRequests(contents), note),
    },
  ];
}

/** Returns how many rows were stored; undefined if the file was imported before. */
async function importFile(path: string, { name, imports, store }: LegacyFile) {
  const size = statSync(path).size;
  if (size > BYTES_MAX) throw new Error(`Importing ${name}: ${size} bytes, at most ${BYTES_MAX}.`);
  const bytes = readFileSync(path);
  const contentHash = createHash("sha256").update(bytes).digest("hex");
  const earlier = await imports
    .selectFrom("imports")
    .select("file")
    .where("file", "=", name)
    .where("content_hash", "=", contentHash)
    .executeTakeFirst();
  if (earlier !== undefined) return undefined;
  const note = { file: name, content_hash: contentHash, imported_at: Date.now() };
  return store(JSON.parse(bytes.toString("utf8")), note);
}

/** An endpoint whose address exists already is left out; one whose name exists gets another. */
async function storeEndpoints(
  { state, secret, writer, log }: LegacyOptions,
  imported: NewEndpoint[],
  note: ImportsTable,
): Promise<number> {
  return state.kysely.transaction().execute(async (db) => {
    const endpoints = new Endpoints({ db, secret, writer, log });
    let count = 0;
    for (const endpoint of imported) {
      if ((await endpoints.byUrl(endpoint.baseUrl)) !== undefined) {
        log.warn(
          { name: endpoint.name, url: parseAddress(endpoint.baseUrl).key },
          "legacy.skipped",
        );
        continue;
      }
      const isNewId = endpoint.id !== undefined && (await endpoints.get(endpoint.id)) === undefined;
      const name = await freeName(endpoints, endpoint.name);
      const { id: _, ...fields } = endpoint;
      await endpoints.create({ ...(isNewId ? endpoint : fields), name });
      count += 1;
    }
    await db.insertInto("imports").values(note).execute();
    return count;
  });
}

async function freeName(endpoints: Endpoints, name: string): Promise<string> {
  for (let i = 1; ; i += 1) {
    const candidate = i === 1 ? name : `${name} (${i})`;
    if ((await endpoints.byName(candidate)) === undefined) return candidate;
  }
}

async function storeModels(
  state: RowStore<StateSchema>,
  models: ImportedModel[],
  note: ImportsTable,
) {
  return state.kysely.transaction().execute(async (db) => {
    for (const { sizeBytes, chatTemplate, tags, ...rest } of models) {
      const more = { size_bytes: sizeBytes, chat_template: chatTemplate };
      await db
        .insertInto("imported_models")
        .values({ ...rest, ...more, tags: JSON.stringify(tags) })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    await db.insertInto("imports").values(note).execute();
    return models.length;
  });
}

async function storeRequests(
  history: RowStore<HistorySchema>,
  requests: NewRequestRow[],
  note: ImportsTable,
) {
  const { kysely } = history;
  const { sql, parameters } = kysely.insertInto("imports").values(note).compile();
  const statements = requestBatch(kysely, requests);
  await history.batch([...statements, { sql, rows: [JSON.stringify(parameters)] }]);
  return requests.length;
}

/** Renames a file to `*.migrated`, with a number if an earlier import's file has that name. */
function renameImported(path: string): void {
  for (let i = 1; ; i += 1) {
    const target = i === 1 ? `${path}.migrated` : `${path}.${i}.migrated`;
    if (existsSync(target)) continue;
    renameSync(path, target);
    return;
  }
}
