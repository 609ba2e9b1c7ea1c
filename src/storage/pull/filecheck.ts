import { FileChangedError, PullError, RangesUnsupportedError } from "./error.ts";
import type { FileSource } from "./filesource.ts";
import type { PartFile } from "./partfile.ts";
import type { RangeResponse } from "./rangerequest.ts";

/** The file that a response must belong to. */
export interface ExpectedResponse {
  part: PartFile;
  source: FileSource;
  /** The SHA-256 that the file must have; null if it is not known. */
  sha256: string | null;
}

/** The `If-Range` of a request: the server's own strong ETag. The hub's tag is compared instead. */
export function ifRangeOf(
  { part, source, sha256 }: ExpectedResponse,
  start: number,
): string | undefined {
  const { etag } = part;
  if (start === 0 || source.peer || sha256 !== null || etag === undefined) return undefined;
  return /^"[^"]*"$/.test(etag) ? etag : undefined;
}

/**
 * Notes the tag and the size that a response tells. Throws `FileChangedError` if the response
 * belongs to another file than the bytes of the part, `PullError` if it cannot be the right file.
 */
export function checkResponse(
  expected: ExpectedResponse,
  response: RangeResponse,
  start: number,
): void {
  if (expected.source.peer) checkPeer(expected, response, start);
  else checkHub(expected, response, start);
}

function checkPeer(expected: ExpectedResponse, response: RangeResponse, start: number): void {
  const { source, sha256 } = expected;
  if (sha256 !== null && plainTag(response) !== sha256) {
    const message = `${source.url} is another file than the manifest's.`;
    throw new PullError("mismatch", message);
  }
  checkSize(expected, response);
  if (response.start !== start) throw new RangesUnsupportedError("the node sends no ranges");
}

function checkHub(expected: ExpectedResponse, response: RangeResponse, start: number): void {
  const { part, sha256 } = expected;
  // With a hash known the content decides: the servers of a mirror may have tags of their own.
  if (sha256 !== null) {
    checkSize(expected, response);
    if (response.start === start) return;
    throw new RangesUnsupportedError("the server sends no ranges");
  }
  const { etag } = response;
  const before = part.etag;
  const isOther = before !== undefined && etag !== undefined && before !== etag;
  if (isOther && part.bytes > 0)
    throw new FileChangedError("the file changed while it was fetched");
  part.etag ??= etag;
  if (response.start !== start) {
    if (etag !== undefined && etag === before) {
      throw new RangesUnsupportedError("the server sends no ranges");
    }
    throw new FileChangedError("the server does not go on where the last answer ended");
  }
  checkSize(expected, response);
}

function plainTag({ etag }: RangeResponse): string | undefined {
  return etag?.replace(/^W\/|"/g, "");
}

function checkSize({ part, source }: ExpectedResponse, { totalBytes }: RangeResponse): void {
  const { sizeBytes } = part;
  if (totalBytes === undefined || sizeBytes === totalBytes) return;
  if (sizeBytes === undefined) {
    part.sizeBytes = totalBytes;
    return;
  }
  const message = `Fetching ${source.url} failed: the file has ${totalBytes} bytes, but \
${sizeBytes} were expected. Register the model anew.`;
  throw new PullError("mismatch", message);
}
