import { ApiError } from "../../wire/error.ts";
import type { AnswerBody } from "../client/body.ts";
import { headerOf, type ResponseHead } from "../client/head.ts";

/** Whether an answer is a redirect. */
export function isRedirect({ status }: ResponseHead): boolean {
  return status >= 300 && status < 400;
}

/** The failure of a target that is somewhere else. Where is for the log, not for clients. */
export function redirects(body: AnswerBody, head: ResponseHead, label: string): ApiError {
  const where = headerOf(head, "location") ?? "no address";
  const cause = new Error(`It answered ${head.status}, a redirect to ${where.slice(0, 500)}`);
  body.abort(cause);
  const message = `Sending the request to ${label} failed: it answered with a redirect \
(${head.status}), and redirects are not followed. Set its base URL to the address that it \
redirects to, which is in the log.`;
  return new ApiError("upstream", message, { cause });
}
