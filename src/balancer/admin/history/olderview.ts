import type { RequestDetails, RequestRow } from "../../../db/history/records.ts";
import type { UsageTotals } from "../../../db/history/usage.ts";
import { mask } from "../../record/mask.ts";

/** Sums of tokens. */
export function tokenSums({ inputTokens, outputTokens, requests }: UsageTotals) {
  return {
    total_input_tokens: inputTokens,
    total_output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    request_count: requests,
  };
}

/** A request in the older words: endpoints were nodes then, and have kept both names. */
export function olderView(row: RequestRow) {
  const ip = row.endpointUrl === null ? null : (URL.parse(row.endpointUrl)?.hostname ?? null);
  const { inputTokens, outputTokens } = row;
  const hasTokens = inputTokens !== null || outputTokens !== null;
  const message = row.error ?? "error";
  return {
    ...{ id: row.id, timestamp: new Date(row.startedAt).toISOString() },
    ...{ request_type: row.requestType, model: row.model },
    ...{ endpoint_id: row.endpointId, endpoint_name: row.endpointName, endpoint_ip: ip },
    ...{ node_id: row.endpointId, node_machine_name: row.endpointName, node_ip: ip },
    ...{ api_key_id: row.apiKeyId, client_ip: row.clientIp, duration_ms: row.durationMs },
    status: row.succeeded ? { type: "success" } : { type: "error", message },
    error_message: row.succeeded ? null : message,
    completed_at: new Date(row.completedAt).toISOString(),
    ...{ input_tokens: inputTokens, output_tokens: outputTokens },
    total_tokens: hasTokens ? (inputTokens ?? 0) + (outputTokens ?? 0) : null,
  };
}

/** The same with its bodies, without texts unless `isWhole`. */
export function olderDetail(row: RequestRow & RequestDetails, isWhole: boolean) {
  const body = (text: string | null) =>
    text === null ? null : parsed(isWhole ? text : mask(text));
  const { requestBody, responseBody } = row;
  return { ...olderView(row), request_body: body(requestBody), response_body: body(responseBody) };
}

/** A line of the older CSV. */
export function olderLine(row: RequestRow) {
  const { node_id, node_machine_name, node_ip, status, ...rest } = olderView(row);
  const runtime = { runtime_id: node_id, runtime_machine_name: node_machine_name };
  return { ...rest, ...runtime, runtime_ip: node_ip, status: status.type };
}

/** A body as JSON; as its text if it is none, or was cut. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
