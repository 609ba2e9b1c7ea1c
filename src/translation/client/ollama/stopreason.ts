/** What Ollama's clients may be told; the others are words of single servers. */
const REASONS = new Set(["length", "content_filter", "load", "unload"]);

/** Ollama's `done_reason` for a finish reason: it has no word for tool calls and some others. */
export function ollamaDoneReason(finishReason: string | null | undefined): string {
  return finishReason != null && REASONS.has(finishReason) ? finishReason : "stop";
}
