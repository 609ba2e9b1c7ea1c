import { credentialOf } from "../../../auth/credential.ts";
import { LOCAL_ENDPOINT } from "../../../config/values/endpoint.ts";
import type { State } from "../../../db/database.ts";
import type { EndpointRow } from "../../../db/state/endpoint.ts";
import { type AppContext, noteSubject } from "../../../http/server/scope.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** A node that sends a request: an enrolled one, or the one beside this balancer. */
export interface NodePrincipal {
  /** The id of its endpoint. */
  id: string;
  name: string;
  /** Undefined for the local node until it listens. */
  endpoint: Endpoint | undefined;
}

export interface NodePrincipalParts {
  state: Pick<State, "enrolment" | "endpoints">;
  pool: UpstreamPool;
  /** Whether a credential is the local node's. */
  isLocalSecret(credential: string): boolean;
}

/** The node of a request, by `{id}` in the path and its credential. Throws 401. */
export async function nodePrincipalOf(
  c: AppContext,
  { state, pool, isLocalSecret }: NodePrincipalParts,
): Promise<NodePrincipal> {
  if (c.req.param("id") === LOCAL_ENDPOINT) {
    if (!isLocalSecret(credentialOf(c.req.raw.headers) ?? "")) throw unknownNode();
    const endpoint = pool.endpoints.find(({ facts }) => facts.source === "local");
    return { id: endpoint?.id ?? LOCAL_ENDPOINT, name: LOCAL_ENDPOINT, endpoint };
  }
  const endpoint = pool.get((await enrolledNode(c, state)).id);
  if (endpoint === undefined) throw unknownNode();
  return { id: endpoint.id, name: endpoint.name, endpoint };
}

/** The endpoint of the enrolled node that sends a request. Throws 401. */
export async function enrolledNode(
  c: AppContext,
  { enrolment, endpoints }: NodePrincipalParts["state"],
): Promise<EndpointRow> {
  const nodeId = c.req.param("id") ?? "";
  const credential = credentialOf(c.req.raw.headers) ?? "";
  const isEnrolled = credential !== "" && (await enrolment.isNodeKey(nodeId, credential));
  const row = isEnrolled ? await endpoints.byNode(nodeId) : undefined;
  if (row === undefined) throw unknownNode();
  noteSubject(c, row.name);
  return row;
}

function unknownNode(): ApiError {
  const message = "The node is not enrolled here, or was removed: enrol it again with a token.";
  return new ApiError("unauthorized", message, { code: "node_unknown" });
}
