/** Fields that an engine reads as clients mean them, whatever they are set to. */
const AS_MEANT: ReadonlySet<string> = new Set([
  ...["model", "messages", "stream", "stream_options", "user", "seed", "keep_alive"],
  ...["max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "min_p"],
  ...["frequency_penalty", "presence_penalty", "repeat_penalty", "ignore_eos", "cache_prompt"],
]);

/**
 * Whether a chat may stay as it is, as most may: one look at what it has in place of many at what
 * it might have. False: it has to be looked at.
 *
 * 1. it has a field that is not `AS_MEANT`: false
 * 2. a message has more than its role and a text, or is not of a known role: false
 * 3. what the system says stands behind the first message: false
 */
export function isPlainChat(chat: Record<string, unknown>): boolean {
  for (const field in chat) if (!AS_MEANT.has(field)) return false;
  const { messages } = chat;
  if (!Array.isArray(messages)) return false;
  for (let i = 0; i < messages.length; i += 1) if (!isPlain(messages[i], i === 0)) return false;
  return true;
}

function isPlain(message: unknown, isFirst: boolean): boolean {
  if (typeof message !== "object" || message === null) return false;
  for (const field in message) if (field !== "role" && field !== "content") return false;
  const { role, content } = message as { role?: unknown; content?: unknown };
  if (typeof content !== "string") return false;
  return role === "user" || role === "assistant" || (role === "system" && isFirst);
}
