/** What the model said, in whole or in part. */
export interface OllamaAnswerPiece {
  content: string;
  thinking: string;
  toolCalls: object[];
  logprobs: unknown[];
}

/** How a route of Ollama writes what a model said. */
export type AnswerShape = (said: OllamaAnswerPiece) => Record<string, unknown>;

export const EMPTY_PIECE: OllamaAnswerPiece = {
  content: "",
  thinking: "",
  toolCalls: [],
  logprobs: [],
};

/** `/api/chat`. */
export function chatAnswerShape({ content, thinking, toolCalls, logprobs }: OllamaAnswerPiece) {
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
export function generateAnswerShape({ content, thinking, logprobs }: OllamaAnswerPiece) {
  return {
    response: content,
    ...(thinking === "" ? {} : { thinking }),
    ...(logprobs.length === 0 ? {} : { logprobs }),
  };
}

/** Why an answer ended, in Ollama's words where it has one. */
export function ollamaDoneReason(finish: string | null | undefined): string {
  return finish === undefined || finish === null || finish === "tool_calls" ? "stop" : finish;
}
