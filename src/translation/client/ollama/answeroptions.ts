import type { AnswerShape } from "./answershape.ts";
import type { RequestStatistics } from "./statistics.ts";

/** What an answer in Ollama's terms needs from its request. */
export interface OllamaAnswerOptions {
  /** The model's name as the client wrote it. */
  model: string;
  shape: AnswerShape;
  statistics: RequestStatistics;
}
