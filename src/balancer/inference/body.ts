import type { RequestBody } from "../../http/client/upload.ts";
import type { Forwarded } from "../../http/proxy/forward.ts";
import type { Rewrite } from "../../http/proxy/rewrite/rewrite.ts";
import type { ApiError } from "../../wire/error.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { RequestContext } from "./context.ts";

/** What one upstream is sent for a request, and what is made of its answer. */
export interface UpstreamRequest {
  /** Of the upstream's URL. */
  pathAndQuery: string;
  body: RequestBody;
  /** Undefined: the answer passes as it is. */
  rewrite: Rewrite | undefined;
  /** The client's answer where the upstream need not be asked for it. */
  fixedAnswer?: object;
}

/** The client's answer that no upstream was asked for. */
export function knownAnswer(
  answer: object,
  { requestId, dialect }: Pick<RequestContext, "requestId" | "dialect">,
): Forwarded {
  const headers: Record<string, string> = { "x-request-id": requestId };
  if (dialect === "anthropic") headers["request-id"] = requestId;
  const response = Response.json(answer, { headers });
  return {
    response,
    status: response.status,
    awaitsContent: false,
    sent: Promise.resolve("complete"),
  };
}

/** The body of a client's request: JSON or a form. */
export interface ClientBody {
  /** The model that it names; "" if it names none. */
  readonly model: string;
  /** Whether it asks for a stream; undefined if it does not say. */
  readonly stream: boolean | undefined;
  /** What history keeps of it. */
  readonly recorded: Uint8Array;
  /** Images may be in it where the route's requests have them. */
  readonly hasImages: boolean;
  /** It can be sent, or sent again. */
  readonly isSendable: boolean;
  /** Hashes of its prompt's beginnings (`fingerprint`); undefined for a short one, or none. */
  fingerprint(): Float64Array | undefined;
  /** Checks its images and fetches those that are given by URL. Throws 400, 413. */
  prepareMedia(): Promise<void> | undefined;
  /** Puts it in the terms of an upstream. Throws 400 for what that cannot be asked. */
  requestFor(upstream: Upstream): UpstreamRequest;
  /** The earlier response that it goes on from. */
  readonly previousId: string | undefined;
  /** It goes on with an answer that another balancer's endpoint has begun. */
  readonly continues: boolean;
  /** It asks for an answer that is fetched later. */
  readonly isBackground: boolean;
  /** Why only who keeps something of earlier requests may be able to answer; undefined: all may. */
  readonly stateRefusal: ApiError | undefined;
  /** Makes the route's answer that needs no upstream; undefined where there is none. */
  readonly ownAnswer: (() => object) | undefined;
  /** Lets go of what it holds. Idempotent. */
  close(): Promise<void> | undefined;
}
