import type { App } from "../../../http/server/app.ts";
import { encodedName } from "../../../http/server/query.ts";
import type { Registry } from "../../../registry/registry.ts";
import { ApiError } from "../../../wire/error.ts";
import type { ModelPullAnswer } from "../../../wire/sync.ts";
import { modelInPath } from "./modelpath.ts";
import type { AssignmentNotifier } from "./notifier.ts";

export interface PullRouteParts {
  registry: Registry;
  notifier: AssignmentNotifier;
  /** Names of all nodes. */
  nodes(): string[];
}

const ENDING = "/pull";

/**
 * `POST /api/models/{id}/pull`: tells the nodes to sync now and to try again what failed. Answers
 * 202 with the address of the progress; 404 for a model that is not registered, 409 if no node is
 * assigned to it.
 */
export function routePull(app: App, { registry, notifier, nodes }: PullRouteParts): void {
  for (const base of ["/api/models", "/v0/models"]) {
    app.post(`${base}/*`, function pullModel(c, next) {
      const name = modelInPath(c, base, ENDING);
      if (name === undefined) return next();
      const { id } = registry.detail(name);
      const all = nodes();
      const assigned = all.filter((node) =>
        registry.assignedTo(node, all).some((row) => row.id === id),
      );
      if (assigned.length === 0) throw noNodes(id, all);
      notifier.notifyAll();
      const progress_url = `${base}/${encodedName(id)}/progress`;
      const pulling: ModelPullAnswer = {
        status: "pulling",
        model: id,
        nodes: assigned,
        progress_url,
      };
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
