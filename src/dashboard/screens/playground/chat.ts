import { DONE } from "../../../wire/sse.ts";
import { CallError, send } from "../../api/call.ts";
import { eventsOf } from "../../api/eventstream.ts";
import { type Answer, type ChatEvent, eventOf, NO_ANSWER, withChunk } from "./chunk.ts";
import type { Step, Timings } from "./conversation.ts";
import type { OutgoingChat } from "./request.ts";

export interface ChatOptions {
  signal: AbortSignal;
  /** Is given what has come so far, each time that more has. */
  onStep(step: Step): void;
}

/** Asks for an answer, and gives it as far as it has come. Never throws: the step says why. */
export async function askChat(request: OutgoingChat, options: ChatOptions): Promise<Step> {
  const startMs = performance.now();
  const { signal, onStep } = options;
  let answer: Answer = NO_ANSWER;
  let firstTokenMs: number | null = null;
  let headers = new Headers();
  const timings = (): Timings => ({
    ...answer.counts,
    ...{ firstTokenMs, totalMs: performance.now() - startMs, ...servedBy(headers) },
  });
  try {
    const { body } = request;
    const path = "POST /v1/chat/completions";
    const response = await send(path, { body, signal, headers: request.headers });
    headers = response.headers;
    for await (const chunk of chunksOf(response)) {
      if (chunk.error) throw new Error(chunk.error.message);
      answer = withChunk(answer, chunk);
      const { content, thinking, calls } = answer.step;
      if (content === "" && thinking === "" && calls.length === 0) continue;
      firstTokenMs ??= performance.now() - startMs;
      onStep(answer.step);
    }
    return { ...answer.step, timings: timings() };
  } catch (error) {
    if (error instanceof CallError) headers = error.headers;
    const { step } = answer;
    if (signal.aborted) return { ...step, finish: "stopped", timings: timings() };
    const message = error instanceof Error ? error.message : String(error);
    return { ...step, error: message, timings: timings() };
  }
}

function servedBy(headers: Headers): Pick<Timings, "queueMs" | "endpoint" | "requestId"> {
  const queue = headers.get("x-queue-wait-ms");
  const endpoint = headers.get("x-llmlb-endpoint");
  return {
    queueMs: queue === null ? null : Number(queue),
    endpoint: endpoint === null ? null : decodedName(endpoint),
    requestId: headers.get("x-request-id"),
  };
}

function decodedName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // cut in the middle of a character
  }
}

async function* chunksOf(response: Response): AsyncIterable<ChatEvent> {
  if (response.headers.get("content-type")?.startsWith("application/json") === true) {
    yield eventOf(await response.text());
    return;
  }
  for await (const data of eventsOf(response)) {
    if (data === DONE) return;
    yield eventOf(data);
  }
}
