import { z } from "zod";
import type { ChatMessage } from "../../wire/chat.ts";
import { ROUTES } from "../../wire/route.ts";
import { sendRequest } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { CliError } from "../process/exit.ts";
import { eventData } from "./eventdata.ts";

/** A piece of an answer: reasoning or text, and at the end the count of tokens and their speed. */
export type AnswerPiece =
  | { type: "reasoning" | "text"; text: string }
  | { type: "usage"; tokens: number; tokensPerSecond?: number };

interface StreamOptions {
  model: string;
  messages: ChatMessage[];
  /** Further fields of the request. */
  fields: Record<string, unknown>;
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

/** Sends a chat and yields the answer as it arrives. Throws `CliError`, also in mid-stream. */
export async function* streamChat(
  server: Server,
  { model, messages, fields, signal }: StreamOptions,
): AsyncGenerator<AnswerPiece> {
  const streams = { stream: true, stream_options: { include_usage: true } };
  const body = { ...fields, model, messages, ...streams };
  const response = await sendRequest(server, ROUTES.chat.path, { body, signal });
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
