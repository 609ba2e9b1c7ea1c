import type { RequestBody } from "../../http/client/upload.ts";
import type { Forwarded } from "../../http/proxy/forward.ts";
import type { Rewrite } from "../../http/proxy/rewrite/rewrite.ts";

/** What one endpoint is sent for a request, and what is made of its answer. */
export interface Call {
  /** Of the endpoint's URL. */
  pathAndQuery: string;
  body: RequestBody;
  /** Undefined: the answer passes as it is. */
  rewrite: Rewrite | undefined;
  /** The client's answer where nobody needs to be asked for it. */
  known?: object;
}

/** An answer that nobody was asked for. */
export function answered(known: object, requestId: string): Forwarded {
  const response = Response.json(known, { headers: { "x-request-id": requestId } });
  return { response, sent: Promise.resolve("complete") };
}
