/** A part of a model's answer, or all of it. */
export interface OllamaAnswerPiece {
  content: string;
  thinking: string;
  toolCalls: object[];
  logprobs: unknown[];
}

/** Writes a piece of an answer into the fields that a route of Ollama has for it. */
export type AnswerShape = (piece: OllamaAnswerPiece) => Record<string, unknown>;

export const EMPTY_PIECE: OllamaAnswerPiece = {
  content: "",
  thinking: "",
  toolCalls: [],
  logprobs: [],
};

/** The fields of an answer of `/api/chat`. */
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

/** The fields of an answer of `/api/generate`. */
export function generateAnswerShape({ content, thinking, logprobs }: OllamaAnswerPiece) {
  return {
    response: content,
    ...(thinking === "" ? {} : { thinking }),
    ...(logprobs.length === 0 ? {} : { logprobs }),
  };
}
