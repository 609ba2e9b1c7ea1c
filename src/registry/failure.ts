import { ApiError } from "../wire/error.ts";

/** Why the hub gave nothing. */
export type HubFailure =
  /** No such repository, or a private one that is not shown to us. */
  | "repo"
  | "revision"
  | "file"
  /** A file that must be read to know the model, but no model has one of that size. */
  | "too_large"
  /** The licence was not accepted by whoever's token it is. */
  | "gated"
  /** The hub does not know the token. */
  | "token"
  | "rate_limited"
  /** No answer, or none that makes sense. */
  | "unreachable";

/** The hub did not give what it was asked for. */
export class HubError extends Error {
  readonly failure: HubFailure;
  /** How long it wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: HubFailure, message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, { cause });
    this.name = "HubError";
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }

  /** It may be well again later: what it told before counts meanwhile. */
  get isPassing(): boolean {
    return this.failure === "rate_limited" || this.failure === "unreachable";
  }
}

export interface FailedLookup {
  repo: string;
  hubUrl: string;
  hasToken: boolean;
  /** Who asked. */
  asker: "balancer" | "node";
}

/** What a client is told: 404 for what is not there, 403 for what needs a licence, else 502. */
export function toApiError(error: HubError, told: FailedLookup): ApiError {
  const { repo, hubUrl, hasToken, asker } = told;
  const { failure, message, retryAfterMs } = error;
  const asked = `Asking the hub about ${repo} failed`;
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
        `${asked}: there is no such repository at ${hubUrl}. Check its spelling. ${setToken}.`,
        { code: "hub_repo_not_found", param, cause },
      );
    case "revision":
      return new ApiError("not_found", `${asked}: it has no such branch, tag or commit.`, {
        ...{ code: "hub_revision_not_found", param, cause },
      });
    case "file":
      return new ApiError("not_found", `${asked}: Specified file not found in repository`, {
        ...{ code: "hub_file_not_found", param: "filename", cause },
      });
    case "too_large":
      return new ApiError("invalid_request", `${asked}: ${message}`, {
        ...{ code: "unsuitable_repo", param: "filename", cause },
      });
    case "gated":
      return new ApiError(
        "forbidden",
        `${asked}: it is gated. Accept its licence at ${hubUrl}/${repo} and set HF_TOKEN to a \
token of that account, ${whose}.`,
        { code: "hub_gated", param, cause },
      );
    case "token":
      return new ApiError(
        "upstream",
        `${asked}: the hub does not accept this ${asker}'s HF_TOKEN. Set one that is valid.`,
        { code: "hub_token_refused", cause },
      );
    case "rate_limited": {
      const retryAfterS = Math.max(1, Math.ceil((retryAfterMs ?? 60_000) / 1000));
      const remedy = hasToken ? "" : " With HF_TOKEN set, it allows more.";
      return new ApiError(
        "upstream",
        `${asked}: the hub gets too many requests from here. Try again in ${retryAfterS} s.\
${remedy}`,
        { code: "hub_rate_limited", retryAfterS, cause },
      );
    }
    case "unreachable":
      return new ApiError("upstream", `${asked}: ${message} Check the network and HF_ENDPOINT.`, {
        ...{ code: "hub_unreachable", cause },
      });
  }
}
