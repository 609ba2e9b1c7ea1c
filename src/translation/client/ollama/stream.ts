import { z } from "zod";
import type { ChatChunk } from "../../../wire/chat.ts";
import { type ApiError, errorFrame } from "../../../wire/error.ts";
import type { ServerEvent } from "../../../wire/sse.ts";
import {
  parseChatChunk,
  reasoningText,
  streamError,
  tokenLogprobs,
  unfinishedStream,
} from "../../chat/chunk.ts";
import type { StreamTranslation } from "../../translation.ts";
import {
  type AnswerShape,
  EMPTY_PIECE,
  type OllamaAnswerPiece,
  ollamaDoneReason,
} from "./answershape.ts";
import type { RequestStatistics } from "./statistics.ts";
import { ToolCallAssembler } from "./toolcalls.ts";

export interface OllamaStreamOptions {
  /** As the client calls it. */
  model: string;
  form: AnswerShape;
  measure: RequestStatistics;
}

/** The text of a chunk of a text completion. */
const Text = z.looseObject({ text: z.string().nullish() });

/** A stream of completions as lines of JSON; the last one says `done`, or why it broke off. */
export class OllamaStreamFromChat implements StreamTranslation {
  readonly contentType = "application/x-ndjson";
  readonly #options: OllamaStreamOptions;
  readonly #calls = new ToolCallAssembler();
  #finish: string | undefined;
  #hasBegun = false;
  #isOver = false;

  constructor(options: OllamaStreamOptions) {
    this.#options = options;
  }

  push(event: ServerEvent): string {
    return this.#step(() => {
      const chunk = parseChatChunk(event);
      if (chunk !== "done") return this.#take(chunk);
      if (!this.#hasBegun) throw unfinishedStream();
      return this.#complete();
    });
  }

  end(): string {
    return this.#step(() => {
      if (this.#finish === undefined) throw unfinishedStream();
      return this.#complete();
    });
  }

  fail(error: ApiError): string {
    return this.#step(() => {
      throw error;
    });
  }

  #step(work: () => string): string {
    if (this.#isOver) return "";
    try {
      return work();
    } catch (thrown) {
      this.#isOver = true;
      return errorFrame(streamError(thrown), "ollama");
    }
  }

  #take(chunk: ChatChunk): string {
    const { measure } = this.#options;
    this.#hasBegun = true;
    measure.noteUsage(chunk.usage, chunk);
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (choice === undefined) return "";
    const { delta } = choice;
    for (const call of delta.tool_calls ?? []) this.#calls.add(call);
    this.#finish = choice.finish_reason ?? this.#finish;
    const said: OllamaAnswerPiece = {
      ...EMPTY_PIECE,
      content: delta.content || delta.refusal || Text.safeParse(choice).data?.text || "",
      thinking: reasoningText(delta),
      logprobs: tokenLogprobs(choice),
    };
    if (said.content === "" && said.thinking === "") {
      if (delta.tool_calls?.length) measure.notePiece();
      return "";
    }
    measure.notePiece();
    return this.#line(said, { done: false });
  }

  /** Calls are told when they are whole, in a line before the last. */
  #complete(): string {
    const toolCalls = this.#calls.take(this.#finish);
    const told =
      toolCalls.length === 0 ? "" : this.#line({ ...EMPTY_PIECE, toolCalls }, { done: false });
    this.#isOver = true;
    const end = { done: true, done_reason: ollamaDoneReason(this.#finish) };
    return told + this.#line(EMPTY_PIECE, { ...end, ...this.#options.measure.statistics() });
  }

  #line(said: OllamaAnswerPiece, end: object): string {
    const { model, form } = this.#options;
    const created_at = new Date().toISOString();
    return `${JSON.stringify({ model, created_at, ...form(said), ...end })}\n`;
  }
}
