import type { Settings } from "../config/settings.ts";
import type { JsonBody } from "../http/server/body.ts";
import type { Scope } from "../http/server/scope.ts";
import { withExactDigits } from "../lib/json.ts";
import type { Adaptation } from "./llamacpp/enginebody.ts";
import { hasHalfCharacter, wellFormedJson } from "./llamacpp/surrogates.ts";
import type { NodeMetrics } from "./metrics/metrics.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import { type ProxyOptions, proxyToEngine } from "./proxy.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";
import type { EngineTask } from "./supervisor/task.ts";

export interface InferenceParts {
  catalog: Catalog;
  supervisor: Supervisor;
  settings: Settings;
  metrics: NodeMetrics;
}

/** A request as an engine gets it, and what is made of the answer. */
export type EngineRequest = Pick<ProxyOptions, "path" | "body" | "rewrite">;

export interface ModelRequest extends EngineRequest {
  model: ServedModel;
  /** What the engine must be for; undefined: any engine of the model. */
  task: EngineTask | undefined;
  /** How long the model stays loaded afterwards; undefined: as before. */
  keepAliveMs?: number | undefined;
}

/**
 * Sends a request to the engine of a model that does the task, which is loaded if it is not, and
 * counts it. Throws what `Supervisor.engineFor` and `proxyToEngine` throw.
 */
export async function sendToModel(c: Scope, parts: InferenceParts, request: ModelRequest) {
  const { model, task, keepAliveMs, ...rest } = request;
  const observer = parts.metrics.requestOf(model.id);
  try {
    const { supervisor } = parts;
    const loaded = supervisor.loadedEngine(model.id, task);
    const engine = loaded ?? (await supervisor.engineFor(model, task));
    if (keepAliveMs !== undefined) engine.keepAlive(keepAliveMs);
    return await askEngine(c, parts, { engine, ...rest, observer });
  } catch (error) {
    observer.fail(error);
    throw error;
  }
}

/** Sends a request to an engine, within the node's time limits. */
export function askEngine(
  c: Scope,
  { settings: { firstByteTimeoutMs, idleTimeoutMs } }: InferenceParts,
  request: EngineRequest & Pick<ProxyOptions, "engine" | "observer">,
): Promise<Response> {
  return proxyToEngine(c, { ...request, firstByteTimeoutMs, idleTimeoutMs });
}

/** The body that came, or another if the engine needs another. */
export function adapted(
  body: JsonBody<Record<string, unknown>>,
  adapt: Adaptation,
): Uint8Array<ArrayBuffer> {
  const { bytes, value } = body;
  if (adapt(value) === value && !hasHalfCharacter(bytes)) return bytes;
  return encode(adapt(withExactDigits(body)));
}

/** A body for an engine, as bytes. */
export function encode(json: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(wellFormedJson(json));
}
