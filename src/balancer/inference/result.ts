import type { Forwarded } from "../../http/proxy/forward.ts";

/** How an attempt went before its first byte, and whether another upstream may do better. */
export type Result = ({ forwarded: Forwarded } | { error: unknown }) & {
  retry: boolean;
  /** The status of a stream's first event that tells of an error. */
  status?: number;
  /** It is what the client is told unless another upstream answers. */
  isRefusal?: boolean;
};

/** The answer that an attempt gave; undefined if it gave none. */
export function forwardedOf(result: Result | undefined): Forwarded | undefined {
  return result !== undefined && "forwarded" in result ? result.forwarded : undefined;
}

/** An answer that the client does not get. */
export async function drop(result: Result | undefined): Promise<void> {
  await forwardedOf(result)?.response.body?.cancel();
}
