import { type Forwarded, type ForwardOptions, forward } from "../../http/forward.ts";
import { ApiError } from "../../wire/error.ts";
import type { Call } from "../inference/call.ts";
import type { Entry } from "../record/entry.ts";
import type { CloudModel } from "./cloudmodel.ts";
import type { CloudMetrics } from "./metrics.ts";

/** A request on its way to a cloud. */
export interface CloudRequest
  extends Omit<ForwardOptions, "target" | "body" | "rewrite" | "tap" | "explain"> {
  cloud: CloudModel;
  call: Call;
  record: Entry;
}

/**
 * Sends a request to a cloud, once: clouds have their own queues, and cost money. Throws what
 * `forward` throws.
 */
export async function sendToCloud(
  { cloud, call, record, ...request }: CloudRequest,
  metrics: CloudMetrics,
): Promise<Forwarded> {
  const { provider } = cloud;
  const { endpointId: id, endpointName: name, url } = provider;
  const sentAtMs = performance.now();
  record.sent({ id, name, facts: { url } });
  const { pathAndQuery, body, rewrite } = call;
  const target = cloud.target(pathAndQuery);
  try {
    const forwarded = await forward({ ...request, target, body, rewrite, tap: record });
    const { status } = forwarded.response;
    metrics.record(provider.name, status, performance.now() - sentAtMs);
    return forwarded;
  } catch (error) {
    const isGone = error instanceof ApiError && error.kind === "client_closed";
    metrics.record(provider.name, isGone ? "cancelled" : "unreachable");
    throw error;
  }
}
