import type { LiveRequest } from "../../../wire/event.ts";

/** What requests are to be of; "" for any. Days are the reader's. */
export const NO_FILTER = {
  ...{ model: "", status: "", type: "", endpoint: "", key: "", user: "", from: "", to: "" },
};
export type RequestFilter = typeof NO_FILTER;

/** Whether anything is to be left out. */
export function isFiltered(filter: RequestFilter): boolean {
  return Object.values(filter).some((text) => text.trim() !== "");
}

/**
 * The running requests that fit, the newest first. Of these nobody knows yet who answers them and
 * how, and they are of today.
 */
export function runningOf(
  running: readonly LiveRequest[],
  filter: RequestFilter,
): readonly LiveRequest[] {
  const { status, endpoint, from, to } = filter;
  if (status !== "" || endpoint.trim() !== "" || from !== "" || to !== "") return [];
  const fits = (wanted: string, value: string | null) =>
    wanted.trim() === "" || wanted.trim() === value;
  const found = running.filter(
    (one) =>
      fits(filter.model, one.model) &&
      fits(filter.type, one.request_type) &&
      fits(filter.key, one.api_key_name) &&
      fits(filter.user, one.user_name),
  );
  return found.toReversed();
}
