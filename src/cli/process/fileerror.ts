import { errorMessage } from "../../lib/errormessage.ts";

const REASONS: Record<string, string> = {
  EACCES: "this user may not write there",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it is a file, not a folder",
  EISDIR: "it is a folder, not a file",
  ENOENT: "the folder above it does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  SQLITE_CANTOPEN: "this user may not write there",
  SQLITE_FULL: "the disk is full",
  SQLITE_READONLY: "this user may not write there",
};

/** Why a file or folder cannot be written, in words. */
export function describeFileError(cause: unknown): string {
  const { code } = cause as { code?: unknown };
  if (typeof code !== "string") return errorMessage(cause);
  return REASONS[code] ?? code;
}
