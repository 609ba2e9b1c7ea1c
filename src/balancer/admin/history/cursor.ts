import type { PagePlace } from "../../../db/history/requests.ts";
import { ApiError } from "../../../wire/error.ts";

/** A place in the list of requests, as clients hand it back. */
export function cursorOf({ startedAt, seq }: PagePlace): string {
  return Buffer.from(`${startedAt}.${seq}`).toString("base64url");
}

/** The place that a cursor stands for. Throws 400. */
export function placeOfCursor(cursor: string): PagePlace {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  const [, startedAt, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (startedAt !== undefined && seq !== undefined) {
    return { startedAt: Number(startedAt), seq: Number(seq) };
  }
  const message = "The request is invalid: `cursor` must be the `next_cursor` of another answer.";
  throw new ApiError("invalid_request", message, { param: "cursor" });
}
