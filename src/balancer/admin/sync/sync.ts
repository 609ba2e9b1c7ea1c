import { randomBytes } from "node:crypto";
import type { State } from "../../../db/database.ts";
import type { App } from "../../../http/server/app.ts";
import type { Logger } from "../../../lib/log.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { ApiError } from "../../../wire/error.ts";
import type { Monitor } from "../../health/monitor.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { nodeNames } from "../models/registry.ts";
import { absence } from "./absence.ts";
import { DownloadQueue } from "./downloads.ts";
import { Holdings } from "./holdings.ts";
import { Notifier } from "./notifier.ts";
import { routePull } from "./pull.ts";
import { routeProgress, routeSync } from "./routes.ts";

export interface ModelSyncParts {
  registry: Registry;
  state: State;
  pool: UpstreamPool;
  monitor: Monitor;
  log: Logger;
}

/** Gives the registered models to the nodes, and knows what the nodes have of them. */
export class ModelSync {
  readonly holdings = new Holdings();
  /** What the local node proves itself with; of this run only. */
  readonly localSecret = randomBytes(32).toString("base64url");
  readonly #parts: ModelSyncParts;
  readonly #notifier: Notifier;

  constructor(parts: ModelSyncParts) {
    this.#parts = parts;
    const { registry, pool, log } = parts;
    this.#notifier = new Notifier({ pool, log });
    registry.onChange(() => this.#notifier.tellAll());
  }

  /** Adds the routes that nodes ask, and that of progress; before those of the registry. */
  route(app: App): void {
    const { pool } = this.#parts;
    const { holdings, localSecret } = this;
    const turns = new DownloadQueue({ holdings, pool });
    const nodes = () => nodeNames(pool);
    routeSync(app, { ...this.#parts, holdings, turns, localSecret, nodes });
    routeProgress(app, { ...this.#parts, holdings });
    routePull(app, { ...this.#parts, notifier: this.#notifier, nodes });
  }

  /** 503 for a model that is registered but that no endpoint has; undefined for any other. */
  absence(model: string): ApiError | undefined {
    return absence(model, { registry: this.#parts.registry, holdings: this.holdings });
  }

  close(): void {
    this.#notifier.close();
  }
}
