import { z } from "zod";
import type { StreamTranslation, Translation } from "../../translation/translation.ts";
import { ChatChunk, ChatCompletion } from "../../wire/chat.ts";
import type { ServerEvent } from "../../wire/sse.ts";
import { eventJson } from "./promptcount.ts";

const Begun = z.looseObject({
  role: z.literal("assistant"),
  content: z.union([
    z.string(),
    z.array(z.looseObject({ type: z.literal("text"), text: z.string() })),
  ]),
  tool_calls: z.null().optional(),
});

/**
 * A conversation whose last message is the beginning of the answer: llama.cpp (v0.5.0) goes on with
 * it and repeats it, while a client of messages or responses puts the two together itself. Such a
 * translation, so that it answers with what is new; others stay as they are.
 */
export function withoutPrefill(translation: Translation): Translation {
  const { body, stream } = translation;
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const last = Begun.safeParse(messages.at(-1)).data;
  if (last === undefined) return translation;
  const { content } = last;
  // Several texts llama.cpp would join by empty lines.
  const begun = typeof content === "string" ? content : content.map(({ text }) => text).join("");
  if (begun === "") return translation;
  return {
    ...translation,
    body: { ...body, messages: [...messages.slice(0, -1), { ...last, content: begun }] },
    answer: (json) => translation.answer(withoutEcho(json, begun)),
    ...(stream === undefined ? {} : { stream: () => new WithoutEcho(stream(), begun) }),
  };
}

function withoutEcho(json: unknown, begun: string): unknown {
  const chat = ChatCompletion.safeParse(json).data;
  const choice = chat?.choices[0];
  const content = choice?.message.content;
  if (chat === undefined || choice === undefined || !content?.startsWith(begun)) return json;
  const message = { ...choice.message, content: content.slice(begun.length) };
  return { ...chat, choices: [{ ...choice, message }] };
}

/** Passes a stream of chat completions on without the text that it repeats first. */
class WithoutEcho implements StreamTranslation {
  readonly #inner: StreamTranslation;
  readonly #begun: string;
  #held = "";
  #isOver = false;

  constructor(inner: StreamTranslation, begun: string) {
    this.#inner = inner;
    this.#begun = begun;
  }

  push(event: ServerEvent): string {
    const chunk = this.#isOver ? undefined : ChatChunk.safeParse(eventJson(event)).data;
    const choice = chunk?.choices[0];
    if (choice === undefined) return this.#inner.push(event);
    const content = this.#new(choice.delta.content ?? "", choice.finish_reason != null);
    const delta = { ...choice.delta, content };
    const data = JSON.stringify({ ...chunk, choices: [{ ...choice, delta }] });
    return this.#inner.push({ ...event, data });
  }

  end(): string {
    return this.#inner.end();
  }

  /** What of the text so far is no repetition; it is held while that may still turn out. */
  #new(piece: string, isLast: boolean): string {
    this.#held += piece;
    const [held, begun] = [this.#held, this.#begun];
    if (!isLast && held.length < begun.length && begun.startsWith(held)) return "";
    this.#isOver = true;
    return held.startsWith(begun) ? held.slice(begun.length) : held;
  }
}
