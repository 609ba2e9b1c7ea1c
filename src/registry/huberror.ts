import { ApiError } from "../wire/error.ts";

/** Why a request to the hub failed. */
export type HubFailure =
  /** There is no such repository, or it is private and the token cannot read it. */
  | "repo"
  | "revision"
  | "file"
  /** A file that must be read is larger than that of any model. */
  | "too_large"
  /** The account of the token has not accepted the licence. */
  | "gated"
  /** The hub does not accept the token. */
  | "token"
  | "rate_limited"
  /** Its address, or one that it names, is not allowed. */
  | "origin"
  /** It answers that it does not give this, whoever asks or however often. */
  | "refused"
  /** There was no answer, or an invalid one. */
  | "unreachable";

/** A failed request to the hub. */
export class HubError extends Error {
  readonly failure: HubFailure;
  /** The pause that the hub asks for, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: HubFailure, message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, { cause });
    this.name = "HubError";
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether it may pass by itself; until then, earlier answers are used. */
  get isPassing(): boolean {
    return this.failure === "rate_limited" || this.failure === "unreachable";
  }
}

export interface LookupContext {
  repo: string;
  hubUrl: string;
  hasToken: boolean;
  /** Who sent the request. */
  asker: "balancer" | "node";
}

/** The error for a client: 404 if something does not exist, 403 if it needs a licence, else 502. */
export function hubApiError(error: HubError, context: LookupContext): ApiError {
  const { repo, hubUrl, hasToken, asker } = context;
  const { failure, message, retryAfterMs } = error;
  const failed = `Asking the hub about ${repo} failed`;
  const said = message === "" ? "" : ` The hub says: ${JSON.stringify(message)}.`;
  const cause = error;
  const param = "repo";
  const whose = asker === "node" ? "for this node" : "for this balancer and for its nodes";
  const setToken = hasToken
    ? "If it is private, the account of HF_TOKEN must be let in"
    : `If it is private, set HF_TOKEN ${whose}`;
  switch (failure) {
    case "repo":
      return new ApiError(
        "not_found",
        `${failed}: there is no such repository at ${hubUrl}. Check its spelling. ${setToken}.`,
        { code: "hub_repo_not_found", param, cause },
      );
    case "revision":
      return new ApiError("not_found", `${failed}: it has no such branch, tag or commit.`, {
        ...{ code: "hub_revision_not_found", param, cause },
      });
    case "file":
      return new ApiError("not_found", `${failed}: Specified file not found in repository`, {
        ...{ code: "hub_file_not_found", param: "filename", cause },
      });
    case "too_large":
      return new ApiError("invalid_request", `${failed}: ${message}`, {
        ...{ code: "unsuitable_repo", param: "filename", cause },
      });
    case "gated":
      return new ApiError(
        "forbidden",
        `${failed}: it is gated. Accept its licence at ${hubUrl}/${repo} and set HF_TOKEN to a \
token of that account, ${whose}.${said}`,
        { code: "hub_gated", param, cause },
      );
    case "token":
      return new ApiError(
        "upstream",
        `${failed}: the hub does not accept this ${asker}'s HF_TOKEN. Set one that is \
valid.${said}`,
        { code: "hub_token_refused", cause },
      );
    case "rate_limited": {
      const retryAfterS = Math.max(1, Math.ceil((retryAfterMs ?? 60_000) / 1000));
      const remedy = hasToken ? "" : " With HF_TOKEN set, it allows more.";
      return new ApiError(
        "upstream",
        `${failed}: the hub gets too many requests from here. Try again in ${retryAfterS} s.\
${remedy}`,
        { code: "hub_rate_limited", retryAfterS, cause },
      );
    }
    case "origin":
      return new ApiError(
        "forbidden",
        `${failed}: ${message} If it is to be trusted, add it to the setting origin_allowlist.`,
        { code: "origin_not_allowed", cause },
      );
    case "refused":
      return refusedError(`${failed}: ${message}`, hasToken, cause);
    case "unreachable":
      return new ApiError("upstream", `${failed}: ${message} Check the network and HF_ENDPOINT.`, {
        ...{ code: "hub_unreachable", cause },
      });
  }
}

function refusedError(what: string, hasToken: boolean, cause: HubError): ApiError {
  const advice = hasToken ? " The permissions of HF_TOKEN may be too few." : "";
  return new ApiError("upstream", what + advice, { code: "hub_refused", cause });
}
