import { ApiError } from "../../wire/error.ts";
import { ClientError } from "../client/failure.ts";
import type { Deadlines } from "./deadlines.ts";

interface FailedRequest {
  target: { label: string };
  explain?(failure: ApiError): Promise<ApiError>;
}

/** What the client is told of a request that failed: whatever was thrown, or why it had to end. */
export async function asApiError(
  cause: unknown,
  { target, explain }: FailedRequest,
  deadlines: Deadlines,
): Promise<ApiError> {
  if (deadlines.reason !== undefined) return deadlines.reason;
  if (cause instanceof ApiError) return cause;
  // The client's own body broke off or was too large, which is no failure of the target.
  const bodyFailure =
    cause instanceof ClientError && cause.code === "body" ? cause.cause : undefined;
  if (bodyFailure instanceof ApiError) return bodyFailure;
  const message = `Sending the request to ${target.label} failed: it could not be reached or broke \
off its answer. Try again, or see GET /ready for what is online.`;
  const failure = new ApiError("upstream", message, { cause });
  return explain === undefined ? failure : explain(failure);
}
