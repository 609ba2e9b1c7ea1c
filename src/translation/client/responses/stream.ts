import { unfinishedStream } from "../../../http/proxy/rewrite/streamend.ts";
import type { ChatChunk, ChatUsage } from "../../../wire/chat.ts";
import { type ApiError, errorFrame } from "../../../wire/error.ts";
import type { ResponsesRequest } from "../../../wire/responses.ts";
import { eventFrame, type ServerEvent } from "../../../wire/sse.ts";
import { parseChatChunk } from "../../chat/chunk.ts";
import { EventStreamTranslation } from "../../eventstream.ts";
import { ClientCalls } from "./clientcalls.ts";
import { appendChatDelta } from "./delta.ts";
import { OutputItems, type ResponsesEvent } from "./output.ts";
import { ResponseObject, type ResponseProgress } from "./response.ts";
import { responseStatus } from "./stopreason.ts";

/**
 * The stream of a response for a stream of chat completions: `response.created`,
 * `response.in_progress`, the events of each item, and at the end `response.completed`,
 * `response.incomplete`, or `error` and `response.failed`.
 */
export class ResponsesStreamFromChat extends EventStreamTranslation {
  readonly #request: ResponsesRequest;
  readonly #calls: ClientCalls;
  readonly #output = new OutputItems((event) => {
    for (const told of this.#calls.events(event)) this.#write(told);
  });
  #response: ResponseObject | undefined;
  /** Events that are written and not yet returned. */
  #written = "";
  #eventCount = 0;
  #finishReason: string | undefined;
  #usage: ChatUsage | undefined;

  constructor(request: ResponsesRequest) {
    super();
    this.#request = request;
    this.#calls = new ClientCalls(request);
  }

  protected override read(event: ServerEvent): string {
    const chunk = parseChatChunk(event);
    if (chunk !== "done") this.#readChunk(chunk);
    else if (this.#response === undefined) throw unfinishedStream();
    else this.#finish();
    return this.#takeWritten();
  }

  protected override readEnd(): string {
    if (this.#finishReason === undefined) throw unfinishedStream();
    this.#finish();
    return this.#takeWritten();
  }

  /** OpenAI's client library throws at `error`; other clients read the response's last state. */
  protected override errorText(error: ApiError): string {
    this.#start(0);
    this.#written += errorFrame(error, "responses", this.#eventCount);
    this.#eventCount += 1;
    const { kind, message } = error;
    const code = kind === "rate_limited" ? "rate_limit_exceeded" : "server_error";
    const output = this.#calls.items(this.#output.items);
    const failure = { code, message };
    this.#writeState("response.failed", {
      ...{ status: "failed", output, usage: this.#usage, error: failure },
    });
    return this.#takeWritten();
  }

  #readChunk(chunk: ChatChunk): void {
    this.#start(chunk.created);
    const choice = chunk.choices.find(({ index }) => index === 0);
    if (chunk.usage) this.#usage = chunk.usage;
    if (choice === undefined) return;
    appendChatDelta(this.#output, choice.delta, choice.logprobs);
    this.#finishReason = choice.finish_reason ?? this.#finishReason;
  }

  #start(createdS: number): void {
    if (this.#response !== undefined) return;
    this.#response = new ResponseObject(this.#request, createdS);
    this.#writeState("response.created", { status: "in_progress", output: [] });
    this.#writeState("response.in_progress", { status: "in_progress", output: [] });
  }

  #finish(): void {
    this.#start(0);
    const { status, reason } = responseStatus(this.#finishReason);
    this.#output.close(status);
    const output = this.#calls.items(this.#output.items);
    this.#writeState(`response.${status}`, { status, output, usage: this.#usage, reason });
    this.close();
  }

  #writeState(type: string, progress: ResponseProgress): void {
    this.#write({ type, response: this.#response?.snapshot(progress) });
  }

  #write({ type, ...fields }: ResponsesEvent): void {
    this.#written += eventFrame({ type, sequence_number: this.#eventCount, ...fields }, type);
    this.#eventCount += 1;
  }

  #takeWritten(): string {
    const written = this.#written;
    this.#written = "";
    return written;
  }
}
