import { get } from "../../http/client/get.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import type { AskOptions } from "../ask.ts";
import type { Endpoint } from "../endpoint.ts";

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

/** Those of our own nodes. */
const LLMLB = [
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
  return kind === "ollama" ? OLLAMA : [];
}

/**
 * Finds out which of the optional inference routes an endpoint has, by sending each an empty
 * object: who has it complains about that, who has it not says so. Never throws.
 */
export async function detectApis(
  endpoint: Endpoint,
  kind: EndpointKind,
  options: AskOptions,
): Promise<Set<string>> {
  const known = apisOf(kind);
  if (kind === "llmlb") return new Set(known);
  const answers = await Promise.all(OPTIONAL.map((path) => hasRoute(endpoint, path, options)));
  return new Set([...known, ...OPTIONAL.filter((_, i) => answers[i])]);
}

async function hasRoute(
  endpoint: Endpoint,
  path: string,
  { timeoutMs, signal }: AskOptions,
): Promise<boolean> {
  const { url, proxy, headers: own } = endpoint.target(path);
  const headers = { ...own, "content-type": "application/json", accept: "application/json" };
  const limitBytes = ANSWER_BYTES_MAX;
  try {
    const asked = { url, proxy, headers, timeoutMs, limitBytes, signal, body: EMPTY };
    return KNOWN.has((await get(asked)).head.status);
  } catch {
    return false; // No answer, no route; the next health check tells why.
  }
}
