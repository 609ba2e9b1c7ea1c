import { randomBytes } from "node:crypto";
import type { State } from "../../db/state.ts";
import type { App } from "../../http/app.ts";
import type { Logger } from "../../lib/log.ts";
import type { Registry } from "../../registry/registry.ts";
import type { ApiError } from "../../wire/error.ts";
import type { Fleet } from "../fleet.ts";
import type { Monitor } from "../monitor.ts";
import { absence } from "./absent.ts";
import { Holdings } from "./holdings.ts";
import { Notifier } from "./notifier.ts";
import { routePull } from "./pull.ts";
import { nodeNames } from "./registry.ts";
import { routeProgress, routeSync } from "./routes.ts";
import { Turns } from "./turns.ts";

export interface ModelSyncParts {
  registry: Registry;
  state: State;
  fleet: Fleet;
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
    const { registry, fleet, log } = parts;
    this.#notifier = new Notifier({ fleet, log });
    registry.onChange(() => this.#notifier.tellAll());
  }

  /** Adds the routes that nodes ask, and that of progress; before those of the registry. */
  route(app: App): void {
    const { fleet } = this.#parts;
    const { holdings, localSecret } = this;
    const turns = new Turns({ holdings, fleet });
    const nodes = () => nodeNames(fleet);
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
