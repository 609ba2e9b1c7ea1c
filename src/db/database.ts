import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../lib/log.ts";
import { type AuditStore, auditPath, openAuditStore } from "./audit/file.ts";
import { openReader, openStore } from "./engine/open.ts";
import { type PendingWrites, pendingOf } from "./engine/writebehind.ts";
import { watchFiles } from "./filewatch.ts";
import { Checks } from "./history/checks.ts";
import { HISTORY_MIGRATIONS } from "./history/migrations.ts";
import { Names } from "./history/names.ts";
import { Requests } from "./history/requests.ts";
import { Responses } from "./history/responses.ts";
import type { HistorySchema } from "./history/schema.ts";
import { Usage } from "./history/usage.ts";
import { HistoryWriter } from "./history/writer.ts";
import { importLegacy } from "./legacy/import.ts";
import { startRetention } from "./retention.ts";
import { ApiKeys } from "./state/apikeys.ts";
import { EndpointModels } from "./state/endpointmodels.ts";
import { Endpoints } from "./state/endpoints.ts";
import { EndpointWriter } from "./state/endpointwriter.ts";
import { Enrolment } from "./state/enrolment.ts";
import { HubCache } from "./state/hubcache.ts";
import { type ImportedModel, importedModels } from "./state/importedmodels.ts";
import { Invitations } from "./state/invitations.ts";
import { LimitCounts } from "./state/limitcounts.ts";
import { STATE_MIGRATIONS } from "./state/migrations.ts";
import { Prices } from "./state/prices.ts";
import { RegisteredModels } from "./state/registeredmodels.ts";
import type { StateSchema } from "./state/schema.ts";
import { openSecretKey } from "./state/secretkey.ts";
import { Sessions } from "./state/sessions.ts";
import { Users } from "./state/users.ts";

export interface StateOptions {
  /** The data folder, absolute; created if there is none. */
  home: string;
  log: Logger;
  /** How long requests are kept. Default: 7 days. */
  historyMs?: number;
  /** Most bytes that the history's file may hold. Default: 1 GiB. */
  historyBytesMax?: number;
  /** How long health checks are kept. Default: 30 days. */
  checksMs?: number;
}

/** Everything that a balancer stores. Times are unix ms. */
export interface State {
  readonly endpoints: Endpoints;
  readonly models: EndpointModels;
  readonly checks: Checks;
  readonly enrolment: Enrolment;
  readonly users: Users;
  readonly apiKeys: ApiKeys;
  readonly sessions: Sessions;
  readonly limitCounts: LimitCounts;
  readonly prices: Prices;
  readonly invitations: Invitations;
  /** The models that clients may ask for, whether a node holds them or not. */
  readonly registered: RegisteredModels;
  readonly hubCache: HubCache;
  readonly requests: Requests;
  readonly responses: Responses;
  readonly usage: Usage;
  /** What endpoints, keys and users of the history are called. */
  readonly names: Names;
  readonly audit: AuditStore;
  /** What was recorded and is not stored yet. */
  readonly writes: PendingWrites;
  /** The models that an earlier program had registered. */
  importedModels(): Promise<ImportedModel[]>;
  /** Writes what waits and closes everything. */
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** As long as another process's transaction may last; a thread waits, not a request. */
const STATE_BUSY_MS = 5000;
/** Short, since rows of history can wait in memory. */
const HISTORY_BUSY_MS = 250;

/**
 * Opens the state in a data folder: `lb.db` (what is configured and known), `history.db` (what
 * happened) and `secret.key`. Brings older files to the newest schema and imports the JSON files of
 * earlier programs. Throws if a file cannot be written, is damaged, or is from a newer program.
 */
export async function openState(options: StateOptions): Promise<State> {
  const { home, log, historyMs = 7 * DAY_MS, checksMs = 30 * DAY_MS } = options;
  const { historyBytesMax = 2 ** 30 } = options;
  openFolder(home);
  const secret = openSecretKey(home);
  const [statePath, historyPath] = [join(home, "lb.db"), join(home, "history.db")];
  const state = openStore<StateSchema>({
    ...{ path: statePath, migrations: STATE_MIGRATIONS, busyMs: STATE_BUSY_MS },
  });
  const history = openStore<HistorySchema>({
    ...{ path: historyPath, migrations: HISTORY_MIGRATIONS, busyMs: HISTORY_BUSY_MS },
  });
  const reader = openReader<HistorySchema>(historyPath, HISTORY_BUSY_MS);

  const audit = openAuditStore({ home, secret, log });

  const writer = new EndpointWriter(state, log);
  const endpoints = new Endpoints({ db: state.kysely, secret, writer, log });
  const models = new EndpointModels(state);
  const enrolment = new Enrolment(state.kysely);
  const invitations = new Invitations(state.kysely);
  const registered = new RegisteredModels(state.kysely);
  const hubCache = new HubCache(state.kysely);
  const limitCounts = new LimitCounts(state, log);
  const historyWriter = new HistoryWriter({ history, endpoints: writer, log });
  const file = { store: history, reader, writer: historyWriter };
  const checks = new Checks(file);
  const requests = new Requests(file);
  const responses = new Responses(file);
  // A connection of its own: summing up years holds up no list of requests.
  const sums = openReader<HistorySchema>(historyPath, HISTORY_BUSY_MS);
  const usage = new Usage({ store: history, reader: sums });
  const names = new Names(reader);

  await importLegacy({ home, state, history, secret, writer, log });
  const pruned = { requests, responses, usage, checks, enrolment, invitations };
  const retention = startRetention({ ...pruned, historyMs, historyBytesMax, checksMs, log });
  const watch = watchFiles([statePath, historyPath, auditPath(home)], log);

  async function close(): Promise<void> {
    watch.stop();
    await retention.stop();
    await Promise.all([
      historyWriter.queue.close(),
      writer.queue.close(),
      limitCounts.queue.close(),
    ]);
    const stores = [state, history, reader, sums, ...(audit.table ? [audit.table] : [])];
    await Promise.all(stores.map((store) => store.close()));
  }
  return {
    ...{ endpoints, models, checks, enrolment, registered, hubCache },
    ...{ requests, responses, usage, names, audit, close },
    users: new Users(state.kysely),
    apiKeys: new ApiKeys(state.kysely),
    sessions: new Sessions(state.kysely),
    limitCounts,
    prices: new Prices(state.kysely),
    writes: pendingOf([historyWriter.queue, writer.queue, limitCounts.queue]),
    invitations,
    importedModels: () => importedModels(state.kysely),
  };
}

/** Only this user may read it: it holds keys and prompts. */
function openFolder(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (process.platform !== "win32" && (statSync(home).mode & 0o077) !== 0) chmodSync(home, 0o700);
}
