/** What an answer in Anthropic's terms needs from its request. */
export interface AnthropicAnswerOptions {
  /** The model's name as the client wrote it. */
  model: string;
  stopSequences: readonly string[];
}
