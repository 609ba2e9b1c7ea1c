import { get } from "../../http/client/get.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import type { GetJsonOptions } from "../upstream/client.ts";
import type { Endpoint } from "../upstream/endpoint.ts";

/** Routes that some servers have and others not; only asking tells. */
const OPTIONAL = [
  "/v1/responses",
  "/v1/messages",
  "/v1/messages/count_tokens",
  "/v1/rerank",
  "/v1/audio/transcriptions",
  "/v1/audio/translations",
  "/v1/audio/speech",
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/images/variations",
];

/** Routes that servers have as a rule; those that lack one say that there is no such thing. */
export const USUAL: readonly string[] = ["/v1/completions", "/v1/embeddings"];
const LACKING = new Set([404, 405, 501]);

/** Those of our own nodes. */
const LLMLB = [
  ...USUAL,
  ...["/v1/responses", "/v1/messages", "/v1/messages/count_tokens", "/v1/rerank"],
  "/v1/audio/transcriptions",
];

/** Ollama's own, which only it has just as its clients know them. */
const OLLAMA = ["/api/chat", "/api/generate", "/api/embed", "/api/embeddings"];

/** An answer of the kind "your request lacks something", which only who knows the route gives. */
const KNOWN = new Set([400, 415, 422]);

const ANSWER_BYTES_MAX = 64 * 1024;
const EMPTY = new TextEncoder().encode("{}");

/** What an endpoint speaks by its kind alone, before it was asked. */
export function apisOf(kind: EndpointKind | null): readonly string[] {
  if (kind === "llmlb") return LLMLB;
  return kind === "ollama" ? [...USUAL, ...OLLAMA] : USUAL;
}

/**
 * Finds out which inference routes an endpoint has besides chat completions, by sending each an
 * empty object: who has it complains about that, who has it not says so. Never throws.
 */
export async function detectApis(
  endpoint: Endpoint,
  kind: EndpointKind,
  options: GetJsonOptions,
): Promise<Set<string>> {
  const apis = new Set(apisOf(kind));
  if (kind === "llmlb") return apis;
  const status = (path: string) => statusOf(endpoint, path, options);
  const [optional, usual] = await Promise.all([
    Promise.all(OPTIONAL.map(status)),
    Promise.all(USUAL.map(status)),
  ]);
  for (const [i, path] of OPTIONAL.entries()) if (KNOWN.has(optional[i] ?? 0)) apis.add(path);
  for (const [i, path] of USUAL.entries()) if (LACKING.has(usual[i] ?? 0)) apis.delete(path);
  return apis;
}

/** What an endpoint answers to an empty request; undefined: nothing. */
async function statusOf(
  endpoint: Endpoint,
  path: string,
  { timeoutMs, signal }: GetJsonOptions,
): Promise<number | undefined> {
  const { url, proxy, headers: own } = endpoint.target(path);
  const headers = { ...own, "content-type": "application/json", accept: "application/json" };
  const limitBytes = ANSWER_BYTES_MAX;
  try {
    const asked = { url, proxy, headers, timeoutMs, limitBytes, signal, body: EMPTY };
    return (await get(asked)).head.status;
  } catch {
    return undefined; // The next health check tells why.
  }
}
