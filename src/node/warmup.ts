import type { Settings } from "../config/settings.ts";
import { modelsWithFiles } from "../config/values/model.ts";
import type { Drain } from "../http/server/drain.ts";
import type { NodeReadiness } from "../wire/system.ts";
import type { Catalog } from "./models/catalog.ts";
import { TINY_MODEL_ID } from "./models/tiny.ts";
import { readinessOf } from "./readiness.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";
import type { Sync } from "./sync/sync.ts";

interface ReadinessParts {
  drain: Drain;
  /** Undefined: the node has no balancer. */
  sync: Sync | undefined;
  settings: Pick<Settings, "models">;
  /** Why it has not joined its balancer, if it should. */
  joining: string | undefined;
}

/** Loads models before their first request, and tells whether the node can serve. */
export class Warmup {
  readonly #supervisor: Supervisor;
  readonly #catalog: Catalog;
  #loading = 0;

  constructor(supervisor: Supervisor, catalog: Catalog) {
    this.#supervisor = supervisor;
    this.#catalog = catalog;
  }

  /** Loads a model. Throws the `ApiError` of a load that fails. */
  async load(modelId: string): Promise<void> {
    this.#loading += 1;
    try {
      const engine = await this.#supervisor.engineFor(this.#catalog.get(modelId), undefined);
      await engine.warm();
    } finally {
      this.#loading -= 1;
    }
  }

  /** Whether requests may be sent; a node that is given no model has the built-in one. */
  readiness({ drain, sync, settings, joining }: ReadinessParts): NodeReadiness {
    const given = modelsWithFiles(settings.models).map(({ id }) => id);
    return readinessOf({
      closing: drain.closing,
      syncing: sync?.isReady === false,
      joining,
      loading: this.#loading > 0,
      engines: (given.length === 0 ? [TINY_MODEL_ID] : given).map((id) =>
        this.#supervisor.engines(id)[0]?.status(),
      ),
    });
  }
}
