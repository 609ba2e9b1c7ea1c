import { type Forwarded, type ForwardOptions, forward } from "../../http/proxy/forward.ts";
import { ApiError } from "../../wire/error.ts";
import { answered, type Call } from "../inference/call.ts";
import type { RequestRecord } from "../record/record.ts";
import { AuthErrorRewrite } from "./autherror.ts";
import type { ProviderModel } from "./model.ts";
import type { Providers } from "./providers.ts";

/** A request on its way to a cloud. */
export interface CloudRequest
  extends Omit<ForwardOptions, "target" | "body" | "rewrite" | "tap" | "explain"> {
  cloud: ProviderModel;
  call: Call;
  record: RequestRecord;
}

/**
 * Sends a request to a cloud, once: clouds have their own queues, and cost money. What needs not be
 * asked is answered at once. Throws what `forward` throws.
 */
export async function sendToCloud(
  { cloud, call, record, ...request }: CloudRequest,
  { metrics, log }: Pick<Providers, "metrics" | "log">,
): Promise<Forwarded> {
  if (call.known !== undefined) return answered(call.known, request.requestId);
  const { provider } = cloud;
  const { endpointId: id, endpointName: name, url } = provider;
  const sentAtMs = performance.now();
  record.sent({ id, name, facts: { url } });
  const { pathAndQuery, body } = call;
  const target = cloud.target(pathAndQuery);
  const { dialect, requestId } = request;
  const rewrite = new AuthErrorRewrite({
    provider,
    rewrite: call.rewrite,
    dialect,
    requestId,
    log,
  });
  try {
    const forwarded = await forward({ ...request, target, body, rewrite, tap: record });
    const { status = forwarded.response.status } = rewrite;
    metrics.record(provider.name, status, performance.now() - sentAtMs);
    return forwarded;
  } catch (error) {
    const isGone = error instanceof ApiError && error.kind === "client_closed";
    metrics.record(provider.name, isGone ? "cancelled" : "unreachable");
    throw error;
  }
}
