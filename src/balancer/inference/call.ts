import type { RequestBody } from "../../http/client/upload.ts";
import type { Rewrite } from "../../http/rewrite/rewrite.ts";

/** What one endpoint is sent for a request, and what is made of its answer. */
export interface Call {
  /** Of the endpoint's URL. */
  pathAndQuery: string;
  body: RequestBody;
  /** Undefined: the answer passes as it is. */
  rewrite: Rewrite | undefined;
}
