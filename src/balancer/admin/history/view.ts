import type { State } from "../../../db/database.ts";
import type { RequestDetails, RequestRow } from "../../../db/history/records.ts";
import type { RequestDetail, RequestView } from "../../../wire/history.ts";
import { mask } from "../../record/mask.ts";
import { maskError } from "../../record/maskerror.ts";

/** Requests as the API shows them, with the names of their keys and users. */
export async function requestViews(
  { names }: Pick<State, "names">,
  rows: readonly RequestRow[],
): Promise<RequestView[]> {
  const keys = await names.of(
    "key",
    rows.map(({ apiKeyId }) => apiKeyId),
  );
  const users = await names.of(
    "user",
    rows.map(({ userId }) => userId),
  );
  return rows.map((row) => viewOf(row, keys, users));
}

/** A request with all that is known of it; without texts and addresses unless `isWhole`. */
export async function requestDetail(
  state: Pick<State, "names">,
  row: RequestRow & RequestDetails,
  isWhole: boolean,
): Promise<RequestDetail> {
  const [view] = await requestViews(state, [row]);
  if (view === undefined) throw new Error("A request has a view.");
  const hide = (row.httpStatus ?? 0) >= 400 ? maskError : mask;
  const { requestBody: sent, responseBody: answer } = row;
  return {
    ...view,
    endpoint_url: isWhole ? row.endpointUrl : null,
    attempts: attemptsOf(row),
    request_body: sent === null || isWhole ? sent : mask(sent),
    response_body: answer === null || isWhole ? answer : hide(answer),
  };
}

/** An amount of money, of which the history keeps millionths. */
export function moneyOf(micros: number): number {
  return micros / 1e6;
}

function viewOf(
  row: RequestRow,
  keys: ReadonlyMap<string, string>,
  users: ReadonlyMap<string, string>,
): RequestView {
  return {
    ...{ id: row.id, request_id: row.requestId, request_type: row.requestType, model: row.model },
    ...{ endpoint_id: row.endpointId, endpoint_name: row.endpointName },
    api_key_id: row.apiKeyId,
    api_key_name: keys.get(row.apiKeyId ?? "") ?? null,
    user_id: row.userId,
    user_name: users.get(row.userId ?? "") ?? null,
    ...{ client_ip: row.clientIp, client: row.client },
    started_at: new Date(row.startedAt).toISOString(),
    completed_at: new Date(row.completedAt).toISOString(),
    status: row.succeeded ? "success" : "error",
    ...{ http_status: row.httpStatus, error: row.error },
    ...{ streamed: row.streamed, retries: row.retries },
    ...{ queue_ms: row.queueMs, first_byte_ms: row.firstByteMs, duration_ms: row.durationMs },
    ...{ input_tokens: row.inputTokens, output_tokens: row.outputTokens },
    ...{ cached_tokens: row.cachedTokens, token_source: row.tokenSource },
    cost: row.costMicros === null ? null : moneyOf(row.costMicros),
  };
}

function attemptsOf(row: RequestRow & RequestDetails): RequestDetail["attempts"] {
  const { attempts, endpointId, endpointName, error, retries } = row;
  if (attempts !== null) {
    return attempts.map(({ id, name, startMs, error: why, tokens = null }) => ({
      ...{ endpoint_id: id, endpoint_name: name, start_ms: startMs, error: why, tokens },
    }));
  }
  if (endpointId === null) return [];
  // Of several attempts that an earlier program recorded, only the last one is known.
  const start_ms = retries === 0 ? (row.queueMs ?? 0) : null;
  return [
    { endpoint_id: endpointId, endpoint_name: endpointName ?? "", start_ms, error, tokens: null },
  ];
}
