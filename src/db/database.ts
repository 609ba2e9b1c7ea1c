import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../lib/log.ts";
import { openReader, openStore } from "./engine/open.ts";
import { Checks } from "./history/checks.ts";
import { Requests } from "./history/requests.ts";
import { Usage } from "./history/usage.ts";
import { HistoryWriter } from "./history/writer.ts";
import { importLegacy } from "./legacy/import.ts";
import { HISTORY_MIGRATIONS, STATE_MIGRATIONS } from "./migrations.ts";
import { startRetention } from "./retention.ts";
import type { HistorySchema, StateSchema } from "./schema.ts";
import { EndpointModels } from "./state/endpointmodels.ts";
import { Endpoints } from "./state/endpoints.ts";
import { Enrolment } from "./state/enrolment.ts";
import { HubCache } from "./state/hubcache.ts";
import { type ImportedModel, importedModels } from "./state/importedmodels.ts";
import { RegisteredModels } from "./state/registeredmodels.ts";
import { openSecretKey } from "./state/secretkey.ts";

export interface StateOptions {
  /** The data folder, absolute; created if there is none. */
  home: string;
  log: Logger;
  /** How long requests are remembered. Default: 7 days. */
  historyMs?: number;
  /** How long health checks are remembered. Default: 30 days. */
  checksMs?: number;
}

/** Everything a balancer remembers. Times are unix ms. */
export interface State {
  readonly endpoints: Endpoints;
  readonly models: EndpointModels;
  readonly checks: Checks;
  readonly enrolment: Enrolment;
  /** Models that clients may ask for, whether a node has them or not. */
  readonly registered: RegisteredModels;
  readonly hubCache: HubCache;
  readonly requests: Requests;
  readonly usage: Usage;
  readonly writes: HistoryWriter;
  /** Models that an earlier program had registered. */
  importedModels(): Promise<ImportedModel[]>;
  /** Writes what waits and closes the files. */
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** A lock lasts as long as another process's transaction; a thread waits, not a request. */
const STATE_BUSY_MS = 5000;
/** Rows of history wait in memory instead. */
const HISTORY_BUSY_MS = 250;

/**
 * Opens the state in a data folder: `lb.db` (what is configured and learned), `history.db` (what
 * happened) and `secret.key`. Brings older files to the newest schema and takes in JSON files of
 * earlier programs. Throws if a file cannot be written, is damaged or from a newer program.
 */
export async function openState(options: StateOptions): Promise<State> {
  const { home, log, historyMs = 7 * DAY_MS, checksMs = 30 * DAY_MS } = options;
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

  const writer = new HistoryWriter({ state, history, log });
  const endpoints = new Endpoints({ db: state.kysely, secret, writer, log });
  const models = new EndpointModels(state);
  const enrolment = new Enrolment(state.kysely);
  const registered = new RegisteredModels(state.kysely);
  const hubCache = new HubCache(state.kysely);
  const checks = new Checks(history, reader.kysely, writer);
  const requests = new Requests(history, reader.kysely, writer);
  const usage = new Usage(reader.kysely);

  await importLegacy({ home, state, history, secret, writer, log });
  const upkeep = startRetention({ requests, checks, enrolment, historyMs, checksMs, log });

  async function close(): Promise<void> {
    await upkeep.stop();
    await writer.close();
    await Promise.all([state.close(), history.close(), reader.close()]);
  }
  return {
    ...{ endpoints, models, checks, enrolment, requests, usage, close },
    writes: writer,
    ...{ registered, hubCache },
    importedModels: () => importedModels(state.kysely),
  };
}

/** Only for this user: keys and prompts are kept here. */
function openFolder(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (process.platform !== "win32" && (statSync(home).mode & 0o077) !== 0) chmodSync(home, 0o700);
}
