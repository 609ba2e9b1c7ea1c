import type { App } from "../../../http/server/app.ts";
import type { Registry } from "../../../registry/registry.ts";
import { ApiError } from "../../../wire/error.ts";
import type { ModelPullAnswer } from "../../../wire/sync.ts";
import type { Notifier } from "./notifier.ts";
import { nameIn } from "./routes.ts";

export interface PullRouteParts {
  registry: Registry;
  notifier: Notifier;
  /** Names of all nodes that there are. */
  nodes(): string[];
}

const PULL = "/pull";

/**
 * `POST /api/models/{id}/pull`: its nodes look now for what they shall have, and try again what
 * failed. 202 with where to see how far they are; 404 for a model that is not registered, 409 if no
 * node shall have it.
 */
export function routePull(app: App, { registry, notifier, nodes }: PullRouteParts): void {
  for (const base of ["/api/models", "/v0/models"]) {
    app.post(`${base}/*`, function pullModel(c, next) {
      const name = nameIn(c, base, PULL);
      if (name === undefined) return next();
      const { id } = registry.detail(name);
      const all = nodes();
      const meant = all.filter((node) =>
        registry.assignedTo(node, all).some((row) => row.id === id),
      );
      if (meant.length === 0) throw noNodes(id, all);
      notifier.tellAll();
      const progress_url = `${base}/${id}/progress`;
      const pulling: ModelPullAnswer = { status: "pulling", model: id, nodes: meant, progress_url };
      return Promise.resolve(c.json(pulling, 202, { location: progress_url }));
    });
  }
}

function noNodes(id: string, all: string[]): ApiError {
  const why =
    all.length === 0
      ? "there is no node. Let one join: llmlb endpoint token"
      : `none of the nodes it is meant for is here, only ${all.slice(0, 20).join(", ")}`;
  const message = `Pulling ${id} failed: ${why}.`;
  return new ApiError("conflict", message, { code: "no_nodes", param: "model" });
}
