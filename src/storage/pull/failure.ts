import { ApiError, type ErrorKind } from "../../wire/error.ts";

/** How a pull can fail. */
export type PullFailure =
  /** The hub refuses: a gated or private repository, or no or a wrong token. */
  | "unauthorized"
  | "not_found"
  /** The address, or one that it redirects to, is not on the allow-list. */
  | "origin_not_allowed"
  /** Too little space, or it ran out. */
  | "disk_full"
  /** What came is not what the manifest says. */
  | "mismatch"
  /** The file changed while it was fetched, again and again. */
  | "changed"
  /** No answer, broken ones, or too many requests, until patience ran out. */
  | "unreachable"
  /** Something else is where the file should be. */
  | "conflict"
  /** Nothing of the model can be used here. */
  | "no_artifact"
  /** The disk does not do what it should. */
  | "disk";

const KINDS: Record<PullFailure, ErrorKind> = {
  unauthorized: "upstream",
  not_found: "upstream",
  origin_not_allowed: "forbidden",
  disk_full: "unavailable",
  mismatch: "upstream",
  changed: "upstream",
  unreachable: "upstream",
  conflict: "conflict",
  no_artifact: "invalid_request",
  disk: "internal",
};

/** A pull that failed for good, with a message that says what to do. Its code is `pull_…`. */
export class PullError extends ApiError {
  readonly failure: PullFailure;

  constructor(failure: PullFailure, message: string, cause?: unknown) {
    super(KINDS[failure], message, { code: `pull_${failure}`, param: "model", cause });
    this.name = "PullError";
    this.failure = failure;
  }
}

/** A failure that another attempt may not have. */
export class Setback extends Error {
  /** What the server asked to be given. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { retryAfterMs?: number | undefined; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "Setback";
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The file is another one than the part that is there was begun with. */
export class Changed extends Error {}

/** Makes errors of the file system speak: a full disk is something a person can do about. */
export function asDiskFailure(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    const message = `Writing ${path} failed: the disk is full (${code}). What had come of the file \
was removed. Make room, or choose a smaller quantization, and pull again.`;
    return new PullError("disk_full", message, error);
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "EIO") {
    const message = `Writing ${path} failed: ${code}. Is the models folder writable?`;
    return new PullError("disk", message, error);
  }
  return error;
}
