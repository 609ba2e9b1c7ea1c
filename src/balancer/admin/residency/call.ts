import { get } from "../../../http/client/get.ts";
import { errorMessage } from "../../../lib/errormessage.ts";
import { parseJson } from "../../../lib/json.ts";
import { monotonicMs } from "../../../lib/monotonic.ts";
import type { ResidencyAction } from "../../../wire/residency.ts";
import type { RunSettings } from "../../../wire/runsettings.ts";
import { readUpstreamError } from "../../../wire/upstreamerror.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";

export interface ResidencyChange {
  action: ResidencyAction;
  /** The model's id at the balancer. */
  model: string;
  keepAlive: string | number | undefined;
  /** How it is to run; undefined: as before. */
  settings?: RunSettings | undefined;
}

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Ollama's own time for a model. */
const OLLAMA_USUAL = "5m";

/**
 * What an endpoint is asked to load, unload, pin or unpin a model; undefined: nothing can be asked
 * of servers of its kind. Only nodes take settings for a load.
 *
 * | kind                 | load               | unload               | pin, unpin              |
 * |----------------------|--------------------|----------------------|-------------------------|
 * | a node of llmlb      | `/api/models/load` | `/api/models/unload` | `/api/models/pin`, …    |
 * | Ollama               | `/api/generate`    | with `keep_alive: 0` | with −1, with 5 minutes |
 * | llama-server, router | `/models/load`     | `/models/unload`     | –                       |
 */
export function residencyRequest(
  { facts: { kind }, warmth }: Pick<Endpoint, "facts" | "warmth">,
  name: string,
  { action, model, keepAlive, settings }: ResidencyChange,
): { path: string; body: object } | undefined {
  const keep = keepAlive === undefined ? {} : { keep_alive: keepAlive };
  if (kind === "llmlb") {
    const run = settings === undefined ? {} : { settings };
    return { path: `/api/models/${action}`, body: { model: name, ...keep, ...run } };
  }
  if (settings !== undefined) return undefined;
  if (kind === "ollama") {
    const keeps = { load: keepAlive, unload: 0, pin: -1, unpin: OLLAMA_USUAL }[action];
    const body = { model: name, ...(keeps === undefined ? {} : { keep_alive: keeps }) };
    return { path: "/api/generate", body: { ...body, stream: false } };
  }
  const isRouter = kind === "llama_server" && warmth.stateOf(model) !== "unknown";
  if (!isRouter || action === "pin" || action === "unpin") return undefined;
  return { path: `/models/${action}`, body: { model: name } };
}

/** Why an endpoint did not do what it was asked for. */
export interface ResidencyFailure {
  message: string;
  /** What was asked for is wrong, as settings that only the node's own parser knows. */
  isRefusal: boolean;
}

/**
 * Asks one endpoint. A load counts as begun for all requests that come meanwhile. Returns why it
 * failed; undefined if it did not. Throws the signal's reason.
 */
export async function changeAt(
  endpoint: Endpoint,
  change: ResidencyChange,
  signal: AbortSignal,
): Promise<ResidencyFailure | undefined> {
  const { model, action } = change;
  const request = residencyRequest(endpoint, endpoint.modelName(model, model), change);
  if (request === undefined) return failure("servers of its kind cannot be asked for it");
  const { url, headers, proxy, guarded, fingerprint } = endpoint.target(request.path);
  const loads = action === "load" || action === "pin";
  const startMs = monotonicMs();
  const use = loads ? endpoint.warmth.begin(model, startMs) : undefined;
  try {
    const { head, body } = await get({
      ...{ url, proxy, guarded, fingerprint, signal },
      headers: { ...headers, "content-type": "application/json" },
      body: Buffer.from(JSON.stringify(request.body)),
      ...{ timeoutMs: endpoint.facts.inferenceTimeoutMs, limitBytes: ANSWER_BYTES_MAX },
    });
    if (head.status >= 300) {
      const json = parseJson(new TextDecoder().decode(body));
      return failure(readUpstreamError(head.status, json).message, head.status === 400);
    }
    const nowMs = monotonicMs();
    use?.answered(nowMs - startMs, { nowMs, usualMs: 0 });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return failure(errorMessage(error));
  } finally {
    use?.end();
  }
}

function failure(message: string, isRefusal = false): ResidencyFailure {
  return { message, isRefusal };
}
