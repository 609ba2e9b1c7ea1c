/**
 * What Anthropic's API refuses, as its documentation tells: the path of the field and the reason.
 * https://platform.claude.com/docs/en/api/messages, …/api/errors,
 * …/agents-and-tools/tool-use/implement-tool-use, …/build-with-claude/extended-thinking
 */
export type Json = Record<string, unknown>;

const FIELDS = [
  ...["model", "messages", "max_tokens", "system", "stream", "temperature", "top_p", "top_k"],
  ...["stop_sequences", "metadata", "tools", "tool_choice", "thinking", "output_config"],
  ...["cache_control", "service_tier", "container", "mcp_servers", "inference_geo", "speed"],
];

/** Why a request to `/v1/messages` is refused; undefined if it is not. */
export function whyInvalid(body: Json, counting: boolean): string | undefined {
  const extra = Object.keys(body).find((field) => !FIELDS.includes(field));
  if (extra !== undefined) return `${extra}: Extra inputs are not permitted`;
  if (typeof body.model !== "string") return "model: Field required";
  if (!Array.isArray(body.messages)) return "messages: Field required";
  if (body.messages.length === 0) return "messages: at least one message is required";
  return (
    (counting ? undefined : whyLimits(body)) ??
    whyThinking(body) ??
    whyTools(body) ??
    whyMessages(body.messages as Json[]) ??
    (counting ? undefined : whyPrefill(body))
  );
}

function whyLimits({ max_tokens: limit, temperature, metadata, stop_sequences: stops }: Json) {
  if (limit === undefined) return "max_tokens: Field required";
  if (!Number.isInteger(limit)) return "max_tokens: Input should be a valid integer";
  if ((limit as number) < 1) return "max_tokens: must be greater than or equal to 1";
  if (temperature !== undefined && !inRange(temperature, 0, 1)) {
    return "temperature: range: 0..1";
  }
  if (Array.isArray(stops) && stops.some((stop) => typeof stop !== "string")) {
    return "stop_sequences: Input should be a valid string";
  }
  const user = metadata === undefined ? "" : (metadata as Json).user_id;
  return typeof user === "string" ? undefined : "metadata.user_id: Input should be a valid string";
}

function inRange(value: unknown, low: number, high: number): boolean {
  return typeof value === "number" && value >= low && value <= high;
}

function whyThinking({ thinking, max_tokens: limit, model }: Json): string | undefined {
  if (thinking === undefined) return undefined;
  const { type, budget_tokens: budget } = thinking as Json;
  if (type === "enabled") {
    if (!/claude-(3|sonnet-4-5|haiku-4-5)/.test(String(model))) {
      return '"thinking.type.enabled" is not supported for this model';
    }
    if (!inRange(budget, 1024, Number.MAX_SAFE_INTEGER)) {
      return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
    }
    const fits = limit === undefined || (budget as number) < (limit as number);
    return fits ? undefined : "`max_tokens` must be greater than `thinking.budget_tokens`";
  }
  const known = type === "adaptive" || type === "disabled";
  return known ? undefined : "thinking: Input tag does not match any of the expected tags";
}

function whyTools({ tools, tool_choice: choice }: Json): string | undefined {
  const list = Array.isArray(tools) ? (tools as Json[]) : [];
  for (const [i, tool] of list.entries()) {
    if (typeof tool.name !== "string" || !/^[\w-]{1,128}$/.test(tool.name)) {
      return `tools.${i}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`;
    }
    const schema = tool.input_schema as Json | undefined;
    if (schema?.type !== "object") return `tools.${i}.custom.input_schema.type: Field required`;
  }
  if (choice === undefined || list.length > 0) return undefined;
  return "tool_choice may only be specified while providing tools";
}

function whyMessages(messages: Json[]): string | undefined {
  let calls: string[] = [];
  for (const [i, message] of messages.entries()) {
    if (message.role !== "user" && message.role !== "assistant") {
      return `messages.${i}.role: Input should be 'user' or 'assistant'`;
    }
    const blocks = contentBlocks(message.content);
    if (blocks === undefined || blocks.length === 0) return `messages.${i}.content: is empty`;
    const results = blocks.filter(({ type }) => type === "tool_result");
    if (calls.some((id) => !results.some((block) => block.tool_use_id === id))) {
      return `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks`;
    }
    if (results.some((block) => !calls.includes(String(block.tool_use_id)))) {
      return `messages.${i}: unexpected \`tool_use_id\` found in \`tool_result\` blocks`;
    }
    if (results.length > 0 && blocks.slice(0, results.length).some((b) => b.type !== "tool_result"))
      return `messages.${i}: \`tool_result\` blocks must come first`;
    for (const [j, block] of blocks.entries()) {
      const why = whyBlock(block);
      if (why !== undefined) return `messages.${i}.content.${j}.${why}`;
    }
    const uses = blocks.filter(({ type }) => type === "tool_use");
    calls = message.role === "assistant" ? uses.map(({ id }) => String(id)) : [];
  }
  return undefined;
}

/**
 * https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6,
 * …/build-with-claude/extended-thinking
 */
function whyPrefill({ messages, model, thinking }: Json): string | undefined {
  const prefill = prefillIn(messages);
  if (prefill === undefined) return undefined;
  if (!/claude-(3|\w+-4-5)/.test(String(model))) {
    return "This model does not support assistant message prefill. The conversation must end with \
a user message.";
  }
  if (thinking !== undefined && (thinking as Json).type !== "disabled") {
    return "Expected `thinking` or `redacted_thinking`, but found `text`";
  }
  const isTrimmed = prefill === prefill.trimEnd();
  return isTrimmed
    ? undefined
    : "messages: final assistant content cannot end with trailing whitespace";
}

/** The text with which an answer is to begin; undefined where it begins by itself. */
export function prefillIn(messages: unknown): string | undefined {
  const last = (messages as Json[]).at(-1);
  if (last?.role !== "assistant") return undefined;
  return (contentBlocks(last.content) ?? []).map(({ text }) => String(text ?? "")).join("");
}

function whyBlock(block: Json): string | undefined {
  switch (block.type) {
    case "text":
      return block.text === "" ? "text: text content blocks must be non-empty" : undefined;
    case "thinking":
      return isSigned(block) ? undefined : "thinking: Invalid `signature` in `thinking` block";
    case "tool_use":
      if (!/^[\w-]+$/.test(String(block.id))) return "tool_use.id: String should match pattern";
      return typeof block.input === "object" ? undefined : "tool_use.input: should be an object";
    case "image":
    case "document": {
      const { type, media_type: media } = block.source as Json;
      const images = ["image/jpeg", "image/png", "image/gif", "image/webp"];
      if (type !== "base64" || block.type === "document" || images.includes(String(media))) {
        return undefined;
      }
      return "image.source.base64.media_type: Input should be one of the known image types";
    }
    case "tool_result":
    case "redacted_thinking":
      return undefined;
    default:
      return "type: Input tag does not match any of the expected tags";
  }
}

/** The blocks that a string or a list of blocks stands for; undefined for anything else. */
export function contentBlocks(content: unknown): Json[] | undefined {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return Array.isArray(content) ? content : undefined;
}

/** The signature of thoughts: only the server's own are taken back. */
export function thinkingSignature(thinking: string): string {
  return `sig_${Bun.hash(thinking).toString(36)}`;
}

function isSigned({ thinking, signature }: Json): boolean {
  return signature === thinkingSignature(String(thinking));
}
