import { z } from "zod";
import type { State } from "../../../db/database.ts";
import type { NameKind } from "../../../db/history/names.ts";
import type { RequestFilter } from "../../../db/history/requestfilter.ts";
import { ApiError } from "../../../wire/error.ts";
import { REQUEST_STATUSES } from "../../../wire/history.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { Visibility } from "./visibility.ts";

/** Where the names of a filter are looked up. */
export interface NameSources {
  state: Pick<State, "names">;
  pool: Pick<UpstreamPool, "endpoints">;
}

const Text = z.string().min(1, "it must not be empty").max(256, "it is too long");
const DAY = /^\d{4}-\d\d-\d\d$/;
const TIME = z.iso.datetime({ offset: true });

/**
 * A time as RFC 3339 has it, or a day (`YYYY-MM-DD`) of the balancer's own clock: with `isEnd` that
 * is the end of the day.
 */
const timeOf = (isEnd: boolean) =>
  z.string().transform((text, context) => {
    const day = DAY.test(text) ? new Date(`${text}T00:00:00`) : undefined;
    if (day !== undefined && isEnd) day.setDate(day.getDate() + 1);
    const time = day?.getTime() ?? (TIME.safeParse(text).success ? Date.parse(text) : Number.NaN);
    if (!Number.isNaN(time)) return time;
    const message = "it must be a time such as 2026-01-31T12:00:00Z, or a day such as 2026-01-31";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

/** The query parameters for whose requests and from when, of requests as of usage. */
export const SELECTION = {
  model: Text.optional(),
  /** An id or a name; likewise `key` and `user`. */
  endpoint: Text.optional(),
  key: Text.optional(),
  user: Text.optional(),
  type: Text.optional(),
  from: timeOf(false).optional(),
  to: timeOf(true).optional(),
};

/** The query parameters that choose among requests. */
export const FILTER = {
  ...SELECTION,
  status: z.enum(REQUEST_STATUSES, "it must be success or error").optional(),
  http_status: z.coerce
    .number("it must be a status such as 429")
    .pipe(z.int("it must be a status such as 429").min(100).max(599))
    .optional(),
  client_ip: Text.optional(),
  /** The program that sent it. */
  client: Text.optional(),
  request_id: Text.optional(),
};

type SelectionQuery = z.infer<z.ZodObject<typeof SELECTION>>;
type FilterQuery = z.infer<z.ZodObject<typeof FILTER>>;

/** Checks that a time does not end before it begins. Throws 400. */
export function requireOrder(
  from: number | undefined,
  to: number | undefined,
  names: [from: string, to: string] = ["from", "to"],
): void {
  if (from === undefined || to === undefined || from <= to) return;
  const message = `The request is invalid: \`${names[0]}\` is after \`${names[1]}\`.`;
  throw new ApiError("invalid_request", message, { param: names[0] });
}

/** The filter of a query, as far as `visibility` goes. Throws 400 if its times are in disorder. */
export async function filterOf(
  sources: NameSources,
  query: FilterQuery,
  visibility: Visibility,
): Promise<RequestFilter> {
  const { status, http_status, client_ip, client, request_id } = query;
  return {
    ...(await selectionOf(sources, query, visibility)),
    ...(status === undefined ? {} : { succeeded: status === "success" }),
    ...(http_status === undefined ? {} : { httpStatus: http_status }),
    ...(client_ip === undefined ? {} : { clientIp: client_ip }),
    ...(client === undefined ? {} : { client }),
    ...(request_id === undefined ? {} : { requestId: request_id }),
  };
}

/** The part of a filter that usage has as well. Throws 400 if its times are in disorder. */
export async function selectionOf(
  sources: NameSources,
  query: SelectionQuery,
  visibility: Visibility,
) {
  const { model, endpoint, key, user, type, from, to } = query;
  requireOrder(from, to);
  const idsOf = async (kind: NameKind, name: string | undefined) =>
    name === undefined ? undefined : await idsNamed(sources, kind, name);
  const [endpointId, apiKeyId, userId] = [
    await idsOf("endpoint", endpoint),
    await idsOf("key", key),
    await idsOf("user", user),
  ];
  return {
    ...(model === undefined ? {} : { model }),
    ...(endpointId === undefined ? {} : { endpointId }),
    ...(type === undefined ? {} : { requestType: type }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { until: to }),
    ...visibleOf({ apiKeyId, userId }, visibility),
  };
}

/** Nobody finds another's requests by naming him. */
function visibleOf(
  wanted: { apiKeyId: string | string[] | undefined; userId: string | string[] | undefined },
  visibility: Visibility,
): Pick<RequestFilter, "apiKeyId" | "userId"> {
  const own: Record<string, string> = visibility ?? {};
  const filter: Pick<RequestFilter, "apiKeyId" | "userId"> = {};
  for (const field of ["apiKeyId", "userId"] as const) {
    const [named, mine] = [wanted[field], own[field]];
    if (mine !== undefined) filter[field] = named === undefined || named.includes(mine) ? mine : [];
    else if (named !== undefined) filter[field] = named;
  }
  return filter;
}

/** The ids of what is, or was, called so; the name itself if it is the name of nothing. */
async function idsNamed(
  { state, pool }: NameSources,
  kind: NameKind,
  name: string,
): Promise<string | string[]> {
  const known = await state.names.idsOf(kind, name);
  const now = kind === "endpoint" ? pool.endpoints.filter((one) => one.name === name) : [];
  const ids = [...new Set([...known, ...now.map(({ id }) => id)])];
  return ids.length > 1 ? ids : (ids[0] ?? name);
}
