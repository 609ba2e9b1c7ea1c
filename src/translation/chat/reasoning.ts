/**
 * The reasoning in a message or a delta; "" where there is none. Most servers write it into
 * `reasoning_content`, some into `reasoning`.
 */
export function reasoningText(message: Record<string, unknown>): string {
  const text = message.reasoning_content || message.reasoning;
  return typeof text === "string" ? text : "";
}
