/** What the model said, in whole or in part. */
export interface Said {
  content: string;
  thinking: string;
  toolCalls: object[];
  logprobs: unknown[];
}

/** How a route of Ollama writes what a model said. */
export type Form = (said: Said) => Record<string, unknown>;

export const NOTHING: Said = { content: "", thinking: "", toolCalls: [], logprobs: [] };

/** `/api/chat`. */
export function chatForm({ content, thinking, toolCalls, logprobs }: Said) {
  return {
    message: {
      role: "assistant",
      content,
      ...(thinking === "" ? {} : { thinking }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    },
    ...(logprobs.length === 0 ? {} : { logprobs }),
  };
}

/** `/api/generate`. */
export function generateForm({ content, thinking, logprobs }: Said) {
  return {
    response: content,
    ...(thinking === "" ? {} : { thinking }),
    ...(logprobs.length === 0 ? {} : { logprobs }),
  };
}

/** Why an answer ended, in Ollama's words where it has one. */
export function doneReason(finish: string | null | undefined): string {
  return finish === undefined || finish === null || finish === "tool_calls" ? "stop" : finish;
}
