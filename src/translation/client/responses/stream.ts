import type { ChatChunk, ChatUsage } from "../../../wire/chat.ts";
import { type ApiError, errorFrame } from "../../../wire/error.ts";
import type { ResponsesRequest } from "../../../wire/responses.ts";
import { eventFrame, type ServerEvent } from "../../../wire/sse.ts";
import { parseChatChunk, streamError, unfinishedStream } from "../../chat/chunk.ts";
import type { StreamTranslation } from "../../translation.ts";
import { appendChatDelta, responseEnd } from "./delta.ts";
import { OutputItems, type ResponsesEvent } from "./output.ts";
import { ResponseObject, type ResponseProgress } from "./response.ts";

/**
 * A stream of chat completions as the events of a response: `response.created`,
 * `response.in_progress`, the events of each item, and one of `response.completed`,
 * `response.incomplete` and `response.failed` (after `error`).
 */
export class ResponsesStreamFromChat implements StreamTranslation {
  readonly #request: ResponsesRequest;
  readonly #output = new OutputItems((event) => this.#write(event));
  #envelope: ResponseObject | undefined;
  #written = "";
  #events = 0;
  /** How the endpoint says that it ended. */
  #finish: string | undefined;
  #usage: ChatUsage | undefined;
  #isOver = false;

  constructor(request: ResponsesRequest) {
    this.#request = request;
  }

  push(event: ServerEvent): string {
    return this.#step(() => {
      const chunk = parseChatChunk(event);
      if (chunk !== "done") this.#take(chunk);
      else if (this.#envelope === undefined) throw unfinishedStream();
      else this.#complete();
    });
  }

  end(): string {
    return this.#step(() => {
      if (this.#finish === undefined) throw unfinishedStream();
      this.#complete();
    });
  }

  fail(error: ApiError): string {
    return this.#step(() => {
      throw error;
    });
  }

  #step(work: () => void): string {
    if (this.#isOver) return "";
    try {
      work();
    } catch (thrown) {
      this.#fail(streamError(thrown));
    }
    const written = this.#written;
    this.#written = "";
    return written;
  }

  #take(chunk: ChatChunk): void {
    this.#begin(chunk.created);
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (chunk.usage) this.#usage = chunk.usage;
    if (choice === undefined) return;
    appendChatDelta(this.#output, choice.delta, choice.logprobs);
    this.#finish = choice.finish_reason ?? this.#finish;
  }

  #begin(createdS: number): ResponseObject {
    if (this.#envelope !== undefined) return this.#envelope;
    this.#envelope = new ResponseObject(this.#request, createdS);
    this.#tell("response.created", { status: "in_progress", output: [] });
    this.#tell("response.in_progress", { status: "in_progress", output: [] });
    return this.#envelope;
  }

  #complete(): void {
    this.#begin(0);
    const { status, reason } = responseEnd(this.#finish);
    this.#output.close(status);
    const { items: output } = this.#output;
    this.#tell(`response.${status}`, { status, output, usage: this.#usage, reason });
    this.#isOver = true;
  }

  /** The client's library throws at `error`; others read the last state of the response. */
  #fail(failure: ApiError): void {
    this.#begin(0);
    this.#written += errorFrame(failure, "responses", this.#events);
    this.#events += 1;
    const { kind, message } = failure;
    const { items: output } = this.#output;
    const error = {
      code: kind === "rate_limited" ? "rate_limit_exceeded" : "server_error",
      message,
    };
    this.#tell("response.failed", { status: "failed", output, usage: this.#usage, error });
    this.#isOver = true;
  }

  #tell(type: string, outcome: ResponseProgress): void {
    const response = this.#envelope?.response(outcome);
    this.#write({ type, response });
  }

  #write({ type, ...fields }: ResponsesEvent): void {
    this.#written += eventFrame({ type, sequence_number: this.#events, ...fields }, type);
    this.#events += 1;
  }
}
