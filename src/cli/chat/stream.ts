import { z } from "zod";
import { EventReader } from "../../wire/sse.ts";
import { sendRequest } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { CliError } from "../process/exit.ts";

/** A part of a message's content, as the chat API takes it. */
export type ContentPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string } };

export interface Message {
  role: "system" | "user" | "assistant";
  content: string | ContentPart[];
}

/** A piece of an answer: what the model thinks, what it says, and in the end how fast it was. */
export type AnswerPiece =
  | { type: "reasoning" | "text"; text: string }
  | { type: "usage"; tokens: number; tokensPerSecond?: number };

export interface ChatRequest {
  model: string;
  messages: Message[];
  signal: AbortSignal;
}

const Chunk = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        delta: z
          .looseObject({
            content: z.string().nullish(),
            reasoning_content: z.string().nullish(),
          })
          .optional(),
      }),
    )
    .optional(),
  usage: z.looseObject({ completion_tokens: z.number() }).nullish(),
  timings: z.looseObject({ predicted_per_second: z.number() }).nullish(),
  error: z.looseObject({ message: z.string() }).optional(),
});

/** Asks for an answer and yields it as it comes. Throws `CliError`, also in mid-stream. */
export async function* streamChat(
  server: Server,
  { model, messages, signal }: ChatRequest,
): AsyncGenerator<AnswerPiece> {
  const body = { model, messages, stream: true, stream_options: { include_usage: true } };
  const response = await sendRequest(server, "/v1/chat/completions", { body, signal });
  if (response.body === null) return;
  let done = false;
  for await (const data of eventData(response.body)) {
    if (data === "[DONE]") {
      done = true;
      break;
    }
    const chunk = parseChunk(data);
    if (chunk.error !== undefined) throw new CliError(chunk.error.message);
    const delta = chunk.choices?.[0]?.delta;
    if (delta?.reasoning_content) yield { type: "reasoning", text: delta.reasoning_content };
    if (delta?.content) yield { type: "text", text: delta.content };
    const tokens = chunk.usage?.completion_tokens;
    const speed = chunk.timings?.predicted_per_second;
    if (tokens !== undefined) {
      yield { type: "usage", tokens, ...(speed === undefined ? {} : { tokensPerSecond: speed }) };
    }
  }
  if (!done) throw new CliError("The answer ended early: the connection was cut.");
}

function parseChunk(data: string): z.infer<typeof Chunk> {
  try {
    return Chunk.parse(JSON.parse(data));
  } catch (cause) {
    const message = `The answer could not be read: ${data.slice(0, 100)}`;
    throw new CliError(message, undefined, cause);
  }
}

/** The data of each server-sent event; one that the end of the body cuts off is left out. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const reader = new EventReader();
  for await (const bytes of body) for (const { data } of reader.push(bytes)) yield data;
}
