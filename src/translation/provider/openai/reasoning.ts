/** Models that reason: o1, o3, …, gpt-5 and later, but not those for chats (`gpt-5-chat`). */
const REASONING_MODEL = /^(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*-chat)/;
/** Those of them that can be asked not to reason. */
const TAKES_NONE = /^gpt-(?:5\.\d|[6-9]|\d\d)/;

/**
 * The `reasoning_effort` that a model of OpenAI's takes; undefined for models that do not reason,
 * which refuse the field.
 */
export function openaiReasoningEffort(model: string, effort: unknown): string | undefined {
  if (typeof effort !== "string" || !REASONING_MODEL.test(model)) return undefined;
  if (effort === "max") return "high";
  if (effort !== "none" || TAKES_NONE.test(model)) return effort;
  return model.startsWith("o") ? "low" : "minimal";
}
