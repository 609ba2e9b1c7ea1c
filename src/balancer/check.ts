import { readBytes } from "../http/body.ts";
import { ModelList } from "../wire/openai.ts";
import type { Endpoint, ModelMap } from "./endpoint.ts";

/** What one health check found. */
export type CheckResult = { ok: true; models: ModelMap } | { ok: false; reason: string };

/** A list of models is never this long. */
const LIST_BYTES_MAX = 16 * 1024 * 1024;

export interface CheckOptions {
  timeoutMs: number;
  /** Aborts the check. */
  signal: AbortSignal;
}

/** Asks an endpoint for its models (`GET /v1/models`). Never throws. */
export async function checkEndpoint(
  endpoint: Endpoint,
  { timeoutMs, signal }: CheckOptions,
): Promise<CheckResult> {
  const target = endpoint.target("/v1/models");
  try {
    const answer = await fetch(target.url, {
      headers: { ...target.headers, accept: "application/json" },
      redirect: "manual",
      // A connection of its own: what is checked is that new ones are accepted.
      keepalive: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      return { ok: false, reason: `GET /v1/models answered ${answer.status}` };
    }
    const text = new TextDecoder().decode(await readBytes(answer, LIST_BYTES_MAX));
    const list = ModelList.safeParse(JSON.parse(text));
    if (!list.success) return { ok: false, reason: "GET /v1/models answered no list of models" };
    return { ok: true, models: new Map(list.data.data.map((model) => [model.id, model])) };
  } catch (error) {
    return { ok: false, reason: describe(error) };
  }
}

function describe(error: unknown): string {
  if (error instanceof SyntaxError) return "GET /v1/models answered no JSON";
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "GET /v1/models was not answered in time";
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : error.message;
}
