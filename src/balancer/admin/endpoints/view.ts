import type { CheckRecord } from "../../../db/history/records.ts";
import type { EndpointRow } from "../../../db/state/endpoint.ts";
import { isoTime, isoTimeOrNull } from "../../../lib/isotime.ts";
import type { EndpointCheckView, EndpointModelView, EndpointView } from "../../../wire/endpoint.ts";
import type { EndpointState } from "../../../wire/event.ts";
import type { ModelEntry } from "../../../wire/openai.ts";
import { shownStatus } from "../../health/healthstate.ts";
import { ModelEntryFields } from "../../health/modelrows.ts";
import type { Endpoint, EndpointLending } from "../../upstream/endpoint.ts";
import { modelsLimited } from "../../upstream/listedmodels.ts";
import { loadedState } from "../residency/view.ts";
import { hostView } from "./hostview.ts";

/** An endpoint as the API shows it; `row` has the counts of the store. */
export function endpointView(endpoint: Endpoint, row: EndpointRow | undefined): EndpointView {
  const { facts, load, lastCheck } = endpoint;
  return {
    ...endpointState(endpoint),
    base_url: facts.url,
    source: facts.source,
    kind: facts.kind,
    has_api_key: facts.apiKey !== undefined,
    ...(row?.hasApiKey && facts.apiKey === undefined ? { api_key_unreadable: true } : {}),
    health_check_interval_secs: facts.healthIntervalMs / 1000,
    inference_timeout_secs: facts.inferenceTimeoutMs / 1000,
    last_seen: isoTimeOrNull(lastCheck.lastSeenAt),
    registered_at: isoTime(facts.registeredAt),
    notes: facts.notes,
    capabilities: facts.capabilities,
    slots: facts.slots,
    given_models: facts.givenModels,
    tls_fingerprint: facts.fingerprint,
    device_info: facts.deviceInfo,
    host: hostView(endpoint),
    ...(endpoint.lending === undefined ? {} : { lending: lendingView(endpoint.lending) }),
    models_limited: modelsLimited(endpoint.listed),
    // Those of the local node are not in the store: counted since the start.
    total_requests: row?.totalRequests ?? load.successes + load.errors,
    successful_requests: row?.succeededRequests ?? load.successes,
    failed_requests: row?.failedRequests ?? load.errors,
  };
}

/** What changes of an endpoint while it works. */
export function endpointState(endpoint: Endpoint): EndpointState {
  const { id, facts, health, load, latency, lastCheck } = endpoint;
  const emaMs = latency.stored;
  return {
    id,
    name: facts.name,
    status: shownStatus(health),
    draining: facts.draining,
    moved_streams: endpoint.movedStreams,
    latency_ms: lastCheck.latencyMs,
    inference_latency_ms: emaMs === null ? null : Math.round(emaMs * 100) / 100,
    last_error: lastCheck.lastError,
    last_request_error: endpoint.requestError,
    error_count: health.failures,
    slots_in_effect: load.slots,
    active_requests: load.active,
    circuit: endpoint.circuits.state(Date.now()),
    model_count: endpoint.models?.size ?? 0,
  };
}

function lendingView({ loans, loansMax, freeBytes }: EndpointLending) {
  return { loans, loans_max: loansMax, free_memory_bytes: freeBytes };
}

/** The models of an endpoint's last list, by id: for the answer's field `name`. */
export function endpointModels(endpoint: Endpoint, name: string) {
  const { models, lastCheck } = endpoint;
  const last_checked = isoTimeOrNull(lastCheck.lastSeenAt);
  const items = [...(models?.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
  const view = (entry: ModelEntry): EndpointModelView => {
    const { capabilities = null, max_tokens } = ModelEntryFields.parse(entry);
    const length = max_tokens === undefined ? {} : { max_tokens };
    const state = loadedState(endpoint, entry.id);
    return { model_id: entry.id, capabilities, ...length, last_checked, state };
  };
  return { name, items, view };
}

/** A health check as the API shows it. */
export function checkView(check: CheckRecord): EndpointCheckView {
  return {
    checked_at: isoTime(check.checkedAt),
    success: check.succeeded,
    latency_ms: check.latencyMs,
    error_message: check.error,
    status_before: check.statusBefore,
    status_after: check.statusAfter,
  };
}
