import type { ErrorKind } from "./error.ts";

/** What may be wrong with a disk, or with a file on it. */
export type StorageFault = "full" | "locked" | "read_only" | "damaged" | "failed";

interface FaultMeaning {
  kind: ErrorKind;
  /** For clients of the inference APIs: without the names of files. */
  clientMessage: string;
}

const ADMIN = "Tell whoever runs it; the log has more.";

/** The error that each of them is for a client. Its code is `storage_` and the fault. */
export const STORAGE_FAULTS: Record<StorageFault, FaultMeaning> = {
  full: {
    kind: "storage_full",
    clientMessage: `The request needs llmlb's storage, and its disk is full. ${ADMIN}`,
  },
  locked: {
    kind: "storage_unavailable",
    clientMessage: `The request needs llmlb's storage, which another process has locked for too \
long. Try again; if it stays, tell whoever runs it.`,
  },
  read_only: {
    kind: "storage_unavailable",
    clientMessage: `The request needs llmlb's storage, whose files it may not use. ${ADMIN}`,
  },
  damaged: {
    kind: "storage_unavailable",
    clientMessage: `The request needs llmlb's storage, which is damaged. ${ADMIN}`,
  },
  failed: {
    kind: "storage_unavailable",
    clientMessage: `The request needs llmlb's storage, which cannot be used now. ${ADMIN}`,
  },
};

/** What the code of a file system's error (Node.js's, such as `ENOSPC`) means. */
export function faultOfFile(code: unknown): StorageFault | undefined {
  return typeof code === "string" && Object.hasOwn(FILE_CODES, code) ? FILE_CODES[code] : undefined;
}

const FILE_CODES: Record<string, StorageFault> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "read_only",
  EACCES: "read_only",
  EPERM: "read_only",
  EIO: "failed",
};
