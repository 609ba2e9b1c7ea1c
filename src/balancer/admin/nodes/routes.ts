import type { App } from "../../../http/server/app.ts";
import { readJson } from "../../../http/server/body.ts";
import { peerOf } from "../../../http/server/peer.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import { AnnouncementBody, type EnrolmentAnswer, EnrolmentBody } from "../../../wire/enrolment.ts";
import { ApiError } from "../../../wire/error.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { Enroller, type EnrollerParts } from "./enroller.ts";
import { routeNodeList } from "./list.ts";
import { enrolledNode } from "./principal.ts";
import { routeTokens } from "./tokens.ts";

export interface NodeRouteParts extends EnrollerParts {
  pool: UpstreamPool;
}

const BODY_BYTES_MAX = 16 * 2 ** 20;

/** Nodes, and how they become endpoints: tokens, enrolment, announcement, leave. */
export function routeNodes(app: App, parts: NodeRouteParts): void {
  routeTokens(app, parts.state.enrolment);
  routeNodeList(app, parts.pool);
  const enroller = new Enroller(parts);

  app.post("/api/nodes", async (c) => {
    const { value } = await readJson(c, EnrolmentBody, BODY_BYTES_MAX);
    const url = await addressOf(c, parts, value);
    const enrolled: EnrolmentAnswer = await enroller.enrol(value, url);
    return c.json(enrolled, 201);
  });

  app.post("/api/nodes/:id/announce", async (c) => {
    const row = await enrolledNode(c, parts.state);
    const { value } = await readJson(c, AnnouncementBody, BODY_BYTES_MAX);
    return c.json(await enroller.announce(row, value, await addressOf(c, parts, value)));
  });

  app.post("/api/nodes/:id/leave", async (c) => {
    const row = await enrolledNode(c, parts.state);
    const endpoint = parts.pool.get(row.id);
    if (endpoint !== undefined) parts.monitor.nodeLeft(endpoint);
    return c.body(null, 204);
  });
}

/**
 * The URL that a node names, else the address that its request came from. Throws 400 for one that
 * must not be called.
 */
async function addressOf(
  c: AppContext,
  { endpointRegistry }: NodeRouteParts,
  body: AnnouncementBody,
): Promise<string> {
  const { url, port, tls_fingerprint } = body;
  const scheme = tls_fingerprint === undefined ? "http" : "https";
  const address = url ?? `${scheme}://${hostOf(c)}:${port}`;
  await endpointRegistry.guard(address, "url");
  return address;
}

function hostOf(c: AppContext): string {
  const peer = peerOf(c);
  if (peer === undefined) {
    const message = "The node's address could not be seen: send `url`.";
    throw new ApiError("invalid_request", message, { param: "url" });
  }
  const address = peer.replace(/^::ffff:(?=\d+\.)/i, "");
  return address.includes(":") ? `[${address}]` : address;
}
