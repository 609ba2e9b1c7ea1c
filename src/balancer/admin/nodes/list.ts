import type { App } from "../../../http/server/app.ts";
import type { NodeList, NodeView } from "../../../wire/node.ts";
import { shownStatus } from "../../health/healthstate.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** `GET /api/nodes`: the endpoints that are llmlbs, and what each runs with, by their names. */
export function routeNodeList(app: App, pool: UpstreamPool): void {
  app.get("/api/nodes", function listNodes(c) {
    const nodes = pool.endpoints.flatMap((endpoint): NodeView[] => {
      const { id, name, health, facts, report } = endpoint;
      if (report === undefined) return [];
      const state = { status: shownStatus(health), draining: facts.draining };
      return [{ endpoint_id: id, name, ...state, ...report }];
    });
    nodes.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    return c.json<NodeList>({ nodes });
  });
}
