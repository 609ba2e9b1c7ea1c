import { z } from "zod";
import { DONE } from "../../../wire/sse.ts";
import { send } from "../../api/call.ts";
import { eventsOf } from "../../api/eventstream.ts";
import type { Timings } from "./conversation.ts";

const Delta = z.object({
  content: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
});

const Chunk = z.object({
  choices: z.array(z.object({ delta: Delta.optional() })).default([]),
  usage: z
    .object({
      completion_tokens: z.number().nullish(),
      prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
    })
    .nullish(),
  error: z.object({ message: z.string() }).optional(),
});

/** A piece of an answer. */
export interface Piece {
  content: string;
  thinking: string;
}

export interface ChatOptions {
  signal: AbortSignal;
  onPiece(piece: Piece): void;
}

/** Asks for an answer and gives its pieces as they come. Throws why it is not whole. */
export async function streamChat(body: unknown, options: ChatOptions): Promise<Timings> {
  const startMs = performance.now();
  const { signal, onPiece } = options;
  const response = await send("POST /v1/chat/completions", { body, signal });
  const queue = response.headers.get("x-queue-wait-ms");
  const timings: Timings = {
    queueMs: queue === null ? null : Number(queue),
    ...{ firstTokenMs: null, totalMs: 0, outputTokens: null, cachedTokens: null },
    endpoint: response.headers.get("x-llmlb-endpoint"),
  };
  for await (const data of eventsOf(response)) {
    if (data === DONE) break;
    const { choices, usage, error } = Chunk.parse(JSON.parse(data));
    if (error !== undefined) throw new Error(error.message);
    const { content, reasoning_content, reasoning } = choices[0]?.delta ?? {};
    const piece = { content: content ?? "", thinking: reasoning_content ?? reasoning ?? "" };
    if (piece.content !== "" || piece.thinking !== "") {
      timings.firstTokenMs ??= performance.now() - startMs;
      onPiece(piece);
    }
    timings.outputTokens = usage?.completion_tokens ?? timings.outputTokens;
    timings.cachedTokens = usage?.prompt_tokens_details?.cached_tokens ?? timings.cachedTokens;
  }
  return { ...timings, totalMs: performance.now() - startMs };
}
