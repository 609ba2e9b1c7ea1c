import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../lib/log.ts";
import type { Store } from "../engine/open.ts";
import type { NewRequestRow } from "../history/requests.ts";
import { type HistoryWriter, requestSteps } from "../history/writer.ts";
import type { HistorySchema, StateSchema } from "../schema.ts";
import { parseAddress } from "../state/address.ts";
import { Endpoints, type NewEndpoint } from "../state/endpoints.ts";
import type { ImportedModel } from "../state/importedmodels.ts";
import type { SecretKey } from "../state/secretkey.ts";
import { readEndpoints, readModels, readNodes, readRequests } from "./files.ts";

export interface LegacyOptions {
  home: string;
  state: Store<StateSchema>;
  history: Store<HistorySchema>;
  secret: SecretKey;
  writer: HistoryWriter;
  log: Logger;
}

/** A file that earlier programs kept, and how its contents are taken in. */
interface LegacyFile {
  name: string;
  into: Store<StateSchema | HistorySchema>;
  /** Takes in everything, together with the mark that it was done, or throws and takes nothing. */
  take(contents: unknown, mark: Mark): Promise<number>;
}

type Mark = StateSchema["imports"];

/** The whole file is read into memory. */
const BYTES_MAX = 512 * 2 ** 20;

/**
 * Takes in the JSON files of earlier programs, each in one transaction, and renames them to
 * `*.migrated`. The transaction also notes the file's hash: after a crash before the renaming it
 * is only renamed. A file that cannot be read is logged and left as it is.
 */
export async function importLegacy(options: LegacyOptions): Promise<void> {
  const { home, log } = options;
  for (const file of filesOf(options)) {
    const path = join(home, file.name);
    if (!existsSync(path)) continue;
    try {
      const rows = await importFile(path, file);
      setAside(path);
      log.info({ file: file.name, rows: rows ?? "imported before" }, "legacy.imported");
    } catch (err) {
      const advice = "it is left as it is: repair it and start again, or remove it";
      log.error({ file: path, err, advice }, "legacy.unreadable");
    }
  }
}

function filesOf({ state, history, ...rest }: LegacyOptions): LegacyFile[] {
  const takeEndpoints = (endpoints: NewEndpoint[], mark: Mark) =>
    putEndpoints({ state, ...rest }, endpoints, mark);
  return [
    {
      name: "endpoints.json",
      into: state as unknown as LegacyFile["into"],
      take: (contents, mark) => takeEndpoints(readEndpoints(contents), mark),
    },
    {
      name: "nodes.json",
      into: state as unknown as LegacyFile["into"],
      take: (contents, mark) => takeEndpoints(readNodes(contents), mark),
    },
    {
      name: "models.json",
      into: state as unknown as LegacyFile["into"],
      take: (contents, mark) => putModels(state, readModels(contents), mark),
    },
    {
      name: "request_history.json",
      into: history as unknown as LegacyFile["into"],
      take: (contents, mark) => putRequests(history, readRequests(contents), mark),
    },
  ];
}

/** Returns how many rows were taken in; undefined if that was done before. */
async function importFile(path: string, { name, into, take }: LegacyFile) {
  const size = statSync(path).size;
  if (size > BYTES_MAX) throw new Error(`Importing ${name}: ${size} bytes, at most ${BYTES_MAX}.`);
  const bytes = readFileSync(path);
  const contentHash = createHash("sha256").update(bytes).digest("hex");
  const mark: Mark = { file: name, content_hash: contentHash, imported_at: Date.now() };
  const done = await into.kysely
    .selectFrom("imports")
    .select("file")
    .where("file", "=", name)
    .where("content_hash", "=", contentHash)
    .executeTakeFirst();
  if (done !== undefined) return undefined;
  return take(JSON.parse(bytes.toString("utf8")), mark);
}

/** Endpoints that exist already, by name or address, stay as they are. */
async function putEndpoints(
  { state, secret, writer, log }: Omit<LegacyOptions, "history" | "home">,
  given: NewEndpoint[],
  mark: Mark,
): Promise<number> {
  return state.kysely.transaction().execute(async (db) => {
    const endpoints = new Endpoints({ db, secret, writer, log });
    let count = 0;
    for (const endpoint of given) {
      if ((await endpoints.byUrl(endpoint.baseUrl)) !== undefined) {
        log.warn(
          { name: endpoint.name, url: parseAddress(endpoint.baseUrl).key },
          "legacy.skipped",
        );
        continue;
      }
      const id = endpoint.id !== undefined && (await endpoints.get(endpoint.id)) === undefined;
      const name = await freeName(endpoints, endpoint.name);
      const { id: _, ...fields } = endpoint;
      await endpoints.create({ ...(id ? endpoint : fields), name });
      count += 1;
    }
    await db.insertInto("imports").values(mark).execute();
    return count;
  });
}

async function freeName(endpoints: Endpoints, name: string): Promise<string> {
  for (let i = 1; ; i += 1) {
    const candidate = i === 1 ? name : `${name} (${i})`;
    if ((await endpoints.byName(candidate)) === undefined) return candidate;
  }
}

async function putModels(state: Store<StateSchema>, models: ImportedModel[], mark: Mark) {
  return state.kysely.transaction().execute(async (db) => {
    for (const { sizeBytes, chatTemplate, tags, ...rest } of models) {
      const more = { size_bytes: sizeBytes, chat_template: chatTemplate };
      await db
        .insertInto("imported_models")
        .values({ ...rest, ...more, tags: JSON.stringify(tags) })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    await db.insertInto("imports").values(mark).execute();
    return models.length;
  });
}

async function putRequests(history: Store<HistorySchema>, requests: NewRequestRow[], mark: Mark) {
  const { kysely } = history;
  const { sql, parameters } = kysely.insertInto("imports").values(mark).compile();
  const steps = requestSteps(kysely, requests);
  await history.batch([...steps, { sql, rows: [JSON.stringify(parameters)] }]);
  return requests.length;
}

/** Never over a file of an earlier import. */
function setAside(path: string): void {
  for (let i = 1; ; i += 1) {
    const aside = i === 1 ? `${path}.migrated` : `${path}.${i}.migrated`;
    if (existsSync(aside)) continue;
    renameSync(path, aside);
    return;
  }
}
