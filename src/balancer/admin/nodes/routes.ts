import type { State } from "../../../db/database.ts";
import type { EndpointRow } from "../../../db/state/endpoint.ts";
import type { App, AppContext } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { guardUrl } from "../../../http/ssrf.ts";
import { AnnouncementBody, type EnrolmentAnswer, EnrolmentBody } from "../../../wire/enrolment.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Monitor } from "../../health/monitor.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { EndpointRegistry } from "../endpoints/registry.ts";
import { Enroller } from "./enroller.ts";
import { routeTokens } from "./tokens.ts";

export interface NodeRouteParts {
  endpointRegistry: EndpointRegistry;
  pool: UpstreamPool;
  monitor: Monitor;
  state: State;
}

const BODY_BYTES_MAX = 16 * 2 ** 20;

/** How nodes join by themselves: tokens for operators, enrolment and announcements for nodes. */
export function routeNodes(app: App, parts: NodeRouteParts): void {
  routeTokens(app, parts.state.enrolment);
  const enroller = new Enroller(parts);

  app.post("/api/nodes", async (c) => {
    const { value } = await readJson(c, EnrolmentBody, BODY_BYTES_MAX);
    const url = await addressOf(c, value);
    const enrolled: EnrolmentAnswer = await enroller.enrol(value, url);
    return c.json(enrolled, 201);
  });

  app.post("/api/nodes/:id/announce", async (c) => {
    const row = await knownNode(c, parts);
    const { value } = await readJson(c, AnnouncementBody, BODY_BYTES_MAX);
    return c.json(await enroller.announce(row, value, await addressOf(c, value)));
  });

  app.post("/api/nodes/:id/leave", async (c) => {
    const row = await knownNode(c, parts);
    const endpoint = parts.pool.get(row.id);
    if (endpoint !== undefined) parts.monitor.left(endpoint);
    return c.body(null, 204);
  });
}

/** The endpoint of the node that asks. Throws 401 without the node's own credential. */
async function knownNode(c: AppContext, { state }: NodeRouteParts): Promise<EndpointRow> {
  const nodeId = c.req.param("id") ?? "";
  const [, credential = ""] = /^Bearer (\S+)$/.exec(c.req.header("authorization") ?? "") ?? [];
  const isKnown = credential !== "" && (await state.enrolment.isNodeKey(nodeId, credential));
  const row = isKnown ? await state.endpoints.byNode(nodeId) : undefined;
  if (row !== undefined) return row;
  const message = "The node is not enrolled here, or was removed: enrol it again with a token.";
  throw new ApiError("unauthorized", message, { code: "node_unknown" });
}

/** Where a node says that it is reached, else where it came from. Throws 400. */
async function addressOf(c: AppContext, { url, port }: AnnouncementBody): Promise<string> {
  const address = url ?? `http://${peerOf(c)}:${port}`;
  await guardUrl(address, "url");
  return address;
}

function peerOf(c: AppContext): string {
  const peer = c.env?.server?.requestIP(c.req.raw)?.address;
  if (peer === undefined) {
    const message = "The node's address could not be seen: send `url`.";
    throw new ApiError("invalid_request", message, { param: "url" });
  }
  const address = peer.replace(/^::ffff:(?=\d+\.)/i, "");
  return address.includes(":") ? `[${address}]` : address;
}
