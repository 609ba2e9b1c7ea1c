/** What a chat completion that is made of a provider's answer needs from its request. */
export interface ChatAnswerOptions {
  /** The model's name as the client wrote it. */
  model: string;
  /** The client asked by `stream_options` for token counts at the end of the stream. */
  includesUsage: boolean;
}
