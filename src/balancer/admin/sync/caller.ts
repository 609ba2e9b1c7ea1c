import { createHash, timingSafeEqual } from "node:crypto";
import { LOCAL_ENDPOINT } from "../../../config/endpoint.ts";
import type { State } from "../../../db/database.ts";
import type { AppContext } from "../../../http/server/app.ts";
import { ApiError } from "../../../wire/error.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** A node that asks: one that is enrolled, or the one beside this balancer. */
export interface Caller {
  /** Of its endpoint. */
  id: string;
  name: string;
  /** Undefined for the local node as long as it does not listen. */
  endpoint: Endpoint | undefined;
}

export interface CallerParts {
  state: Pick<State, "enrolment" | "endpoints">;
  pool: UpstreamPool;
  /** What the local node proves itself with. */
  localSecret: string;
}

/** The node that asks, by `{id}` in the path and its credential. Throws 401. */
export async function callerOf(c: AppContext, parts: CallerParts): Promise<Caller> {
  const { state, pool, localSecret } = parts;
  const nodeId = c.req.param("id") ?? "";
  const [, credential = ""] = /^Bearer (\S+)$/.exec(c.req.header("authorization") ?? "") ?? [];
  if (nodeId === LOCAL_ENDPOINT) {
    if (!isSame(credential, localSecret)) throw unknown();
    const endpoint = pool.endpoints.find(({ facts }) => facts.source === "local");
    return { id: endpoint?.id ?? LOCAL_ENDPOINT, name: LOCAL_ENDPOINT, endpoint };
  }
  const isKnown = credential !== "" && (await state.enrolment.isNodeKey(nodeId, credential));
  const row = isKnown ? await state.endpoints.byNode(nodeId) : undefined;
  const endpoint = row === undefined ? undefined : pool.get(row.id);
  if (endpoint === undefined) throw unknown();
  return { id: endpoint.id, name: endpoint.name, endpoint };
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function unknown(): ApiError {
  const message = "The node is not enrolled here, or was removed: enrol it again with a token.";
  return new ApiError("unauthorized", message, { code: "node_unknown" });
}
