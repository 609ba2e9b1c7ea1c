import { ApiError, type ErrorKind } from "../../wire/error.ts";

/** Why a pull failed. */
export type PullFailure =
  /** The hub refuses: the repository is gated or private, or the token is missing or wrong. */
  | "unauthorized"
  | "not_found"
  /** The allow-list does not have the address, or one that it redirects to. */
  | "origin_not_allowed"
  /** The disk has too little space. */
  | "disk_full"
  /** The fetched file is not the one of the manifest. */
  | "mismatch"
  /** The file changed again and again while it was fetched. */
  | "changed"
  /** No answer, broken ones, or too many requests, until the retry limit was reached. */
  | "unreachable"
  /** Another file or folder is in the place of the file. */
  | "conflict"
  /** No file of the model can be used on this host. */
  | "no_artifact"
  /** This host has not enough memory for any of them. */
  | "too_large"
  /** Reading or writing the disk failed. */
  | "disk";

const KINDS: Record<PullFailure, ErrorKind> = {
  unauthorized: "upstream",
  not_found: "upstream",
  origin_not_allowed: "forbidden",
  disk_full: "storage_full",
  mismatch: "upstream",
  changed: "upstream",
  unreachable: "upstream",
  conflict: "conflict",
  no_artifact: "invalid_request",
  too_large: "invalid_request",
  disk: "storage_unavailable",
};

/** A pull that failed, with a message that says what to do. Its code is `pull_` and the failure. */
export class PullError extends ApiError {
  readonly failure: PullFailure;

  constructor(failure: PullFailure, message: string, cause?: unknown) {
    super(KINDS[failure], message, { code: `pull_${failure}`, param: "model", cause });
    this.name = "PullError";
    this.failure = failure;
  }
}

interface TransientOptions {
  retryAfterMs?: number | undefined;
  attemptsMax?: number;
  cause?: unknown;
}

/** A failure that may be gone at the next attempt. */
export class TransientError extends Error {
  /** The wait that the server asked for. */
  readonly retryAfterMs: number | undefined;
  /** Failures in a row after which it is no use to try again; default: as many as of any kind. */
  readonly attemptsMax: number | undefined;

  constructor(message: string, options: TransientOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "TransientError";
    this.retryAfterMs = options.retryAfterMs;
    this.attemptsMax = options.attemptsMax;
  }
}

/** A range comes so slowly that it had better be asked for anew. */
export class SlowRangeError extends Error {}

/** The file at the source is no longer the one that the part was begun with. */
export class FileChangedError extends Error {}

/** The server sends files from their beginning only: the part cannot be continued. */
export class RangesUnsupportedError extends FileChangedError {}

/** Whether a pull failed since the models folder may not be written. */
export function isReadOnly(error: unknown): boolean {
  if (!(error instanceof PullError) || error.failure !== "disk") return false;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && READ_ONLY.has(String(cause.code));
}

const READ_ONLY = new Set(["EROFS", "EACCES", "EPERM"]);

/** A file system error as a `PullError` that says what to do; any other error as it is. */
export function toDiskError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    const message = `Writing ${path} failed: the disk is full (${code}). What had come of the file \
was removed. Make room, or choose a smaller quantization, and pull again.`;
    return new PullError("disk_full", message, error);
  }
  if (code === "ENAMETOOLONG") {
    const message = `Writing ${path} failed: the name is too long for this file system. Choose \
another models folder, or another file of the model.`;
    return new PullError("disk", message, error);
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "EIO") {
    const message = `Writing ${path} failed: ${code}. Is the models folder \
read-only, or another user's?`;
    return new PullError("disk", message, error);
  }
  return error;
}
