/** Ollama's `done_reason` for a finish reason: Ollama has no word for tool calls. */
export function ollamaDoneReason(finishReason: string | null | undefined): string {
  return finishReason == null || finishReason === "tool_calls" ? "stop" : finishReason;
}
