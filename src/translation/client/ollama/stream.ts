import { z } from "zod";
import { unfinishedStream } from "../../../http/proxy/rewrite/streamend.ts";
import type { ChatChunk } from "../../../wire/chat.ts";
import { type ApiError, errorFrame } from "../../../wire/error.ts";
import type { ServerEvent } from "../../../wire/sse.ts";
import { parseChatChunk } from "../../chat/chunk.ts";
import { tokenLogprobs } from "../../chat/logprobs.ts";
import { reasoningText } from "../../chat/reasoning.ts";
import { EventStreamTranslation } from "../../eventstream.ts";
import { answerHead } from "./answer.ts";
import type { OllamaAnswerOptions } from "./answeroptions.ts";
import { EMPTY_PIECE, type OllamaAnswerPiece } from "./answershape.ts";
import { ollamaDoneReason } from "./stopreason.ts";
import { ToolCallAssembler } from "./toolcalls.ts";

/** The text in a chunk of a text completion. */
const TextChoice = z.looseObject({ text: z.string().nullish() });

/**
 * Ollama's stream for a stream of chat completions or of text completions: lines of JSON, of which
 * the last says `done`, or why the answer broke off.
 */
export class OllamaStreamFromChat extends EventStreamTranslation {
  readonly contentType = "application/x-ndjson";
  /** White space before the next line's JSON: clients parse every line, an empty one in vain. */
  readonly ping = " ";
  readonly #options: OllamaAnswerOptions;
  readonly #calls = new ToolCallAssembler();
  #finishReason: string | undefined;
  #hasStarted = false;

  constructor(options: OllamaAnswerOptions) {
    super();
    this.#options = options;
  }

  protected override read(event: ServerEvent): string {
    const chunk = parseChatChunk(event);
    if (chunk !== "done") return this.#readChunk(chunk);
    if (!this.#hasStarted) throw unfinishedStream();
    return this.#finish();
  }

  protected override readEnd(): string {
    if (this.#finishReason === undefined) throw unfinishedStream();
    return this.#finish();
  }

  protected override errorText(error: ApiError): string {
    return errorFrame(error, "ollama");
  }

  #readChunk(chunk: ChatChunk): string {
    const { statistics } = this.#options;
    this.#hasStarted = true;
    statistics.noteUsage(chunk.usage, chunk);
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (choice === undefined) return "";
    const { delta } = choice;
    for (const call of delta.tool_calls ?? []) this.#calls.add(call);
    this.#finishReason = choice.finish_reason ?? this.#finishReason;
    const piece: OllamaAnswerPiece = {
      ...EMPTY_PIECE,
      content: delta.content || delta.refusal || TextChoice.safeParse(choice).data?.text || "",
      thinking: reasoningText(delta),
      logprobs: tokenLogprobs(choice),
    };
    if (piece.content === "" && piece.thinking === "") {
      if (delta.tool_calls?.length) statistics.notePiece();
      return "";
    }
    statistics.notePiece();
    return this.#line(piece, { done: false });
  }

  /** Ollama sends tool calls whole: they have a line before the last. */
  #finish(): string {
    const toolCalls = this.#calls.take(this.#finishReason);
    const calls =
      toolCalls.length === 0 ? "" : this.#line({ ...EMPTY_PIECE, toolCalls }, { done: false });
    this.close();
    const end = { done: true, done_reason: ollamaDoneReason(this.#finishReason) };
    return calls + this.#line(EMPTY_PIECE, { ...end, ...this.#options.statistics.summary() });
  }

  #line(piece: OllamaAnswerPiece, end: object): string {
    const { model, shape } = this.#options;
    return `${JSON.stringify({ ...answerHead(model), ...shape(piece), ...end })}\n`;
  }
}
