import { randomBytes } from "node:crypto";
import { secretMatcher } from "../../../auth/secret.ts";
import type { State } from "../../../db/database.ts";
import type { App } from "../../../http/server/app.ts";
import type { Logger } from "../../../lib/log.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { ApiError } from "../../../wire/error.ts";
import type { Monitor } from "../../health/monitor.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { nodeNames } from "../nodes/node.ts";
import { routeWorkers } from "../nodes/workers.ts";
import { absenceOf } from "./absence.ts";
import { DownloadSources } from "./downloadsource.ts";
import { Holdings } from "./holdings.ts";
import { AssignmentNotifier } from "./notifier.ts";
import { routeProgress } from "./progress.ts";
import { routePull } from "./pull.ts";
import { routeSync } from "./routes.ts";

export interface ModelSyncParts {
  registry: Registry;
  state: State;
  pool: UpstreamPool;
  monitor: Monitor;
  log: Logger;
}

/** Assigns the registered models to nodes, and keeps what the nodes report of them. */
export class ModelSync {
  readonly holdings = new Holdings();
  /** The credential of the local node, made anew at each start. */
  readonly localSecret = randomBytes(32).toString("base64url");
  readonly #parts: ModelSyncParts;
  readonly #notifier: AssignmentNotifier;

  constructor(parts: ModelSyncParts) {
    this.#parts = parts;
    const { registry, pool, log } = parts;
    this.#notifier = new AssignmentNotifier({ pool, log });
    registry.onChange(() => this.#notifier.notifyAll());
  }

  /** Adds its routes. To be called before the routes of the registry are added. */
  route(app: App): void {
    const { pool } = this.#parts;
    const { holdings } = this;
    const isLocalSecret = secretMatcher(this.localSecret);
    const downloads = new DownloadSources({ holdings, pool });
    const nodes = () => nodeNames(pool);
    routeWorkers(app, { ...this.#parts, isLocalSecret });
    routeSync(app, { ...this.#parts, holdings, downloads, isLocalSecret, nodes });
    routeProgress(app, { ...this.#parts, holdings });
    routePull(app, { ...this.#parts, notifier: this.#notifier, nodes });
  }

  /** The 503 for a model that is registered but on no endpoint; undefined for any other model. */
  absence(model: string): ApiError | undefined {
    return absenceOf(model, { registry: this.#parts.registry, holdings: this.holdings });
  }

  close(): void {
    this.#notifier.close();
  }
}
