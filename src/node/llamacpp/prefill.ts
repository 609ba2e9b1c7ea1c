import { z } from "zod";
import type { StreamTranslation, Translation } from "../../translation/translation.ts";
import { ChatChunk, ChatCompletion } from "../../wire/chat.ts";
import type { ServerEvent } from "../../wire/sse.ts";
import { eventObject } from "./promptcount.ts";

const Prefill = z.looseObject({
  role: z.literal("assistant"),
  content: z.union([
    z.string(),
    z.array(z.looseObject({ type: z.literal("text"), text: z.string() })),
  ]),
  tool_calls: z.null().optional(),
});

/**
 * Removes the prefill from the answers of a translation whose last message is the beginning of the
 * answer ("prefill"): llama.cpp (v0.5.0) repeats it, while clients of messages and responses expect
 * only the rest. Returns the same translation if it has no prefill.
 */
export function withoutPrefill(translation: Translation): Translation {
  const { body, stream } = translation;
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const last = Prefill.safeParse(messages.at(-1)).data;
  if (last === undefined) return translation;
  const { content } = last;
  // llama.cpp would join several texts with empty lines.
  const prefill = typeof content === "string" ? content : content.map(({ text }) => text).join("");
  if (prefill === "") return translation;
  return {
    ...translation,
    body: { ...body, messages: [...messages.slice(0, -1), { ...last, content: prefill }] },
    answer: (json) => translation.answer(chatWithoutPrefill(json, prefill)),
    ...(stream === undefined ? {} : { stream: () => new PrefillRemover(stream(), prefill) }),
  };
}

/** A chat completion without the prefill at the start of its text. */
function chatWithoutPrefill(json: unknown, prefill: string): unknown {
  const chat = ChatCompletion.safeParse(json).data;
  const choice = chat?.choices[0];
  const content = choice?.message.content;
  if (chat === undefined || choice === undefined || !content?.startsWith(prefill)) return json;
  const message = { ...choice.message, content: content.slice(prefill.length) };
  return { ...chat, choices: [{ ...choice, message }] };
}

/** Removes the prefill from the start of a stream of chat completions. */
class PrefillRemover implements StreamTranslation {
  readonly #inner: StreamTranslation;
  readonly #prefill: string;
  /** The text so far that may be the prefill, or the beginning of it. */
  #held = "";
  /** The prefill has been removed, or the answer does not have it. */
  #isDone = false;

  constructor(inner: StreamTranslation, prefill: string) {
    this.#inner = inner;
    this.#prefill = prefill;
  }

  push(event: ServerEvent): string {
    const chunk = this.#isDone ? undefined : ChatChunk.safeParse(eventObject(event)).data;
    const choice = chunk?.choices[0];
    if (choice === undefined) return this.#inner.push(event);
    const content = this.#newText(choice.delta.content ?? "", choice.finish_reason != null);
    const delta = { ...choice.delta, content };
    const data = JSON.stringify({ ...chunk, choices: [{ ...choice, delta }] });
    return this.#inner.push({ ...event, data });
  }

  end(): string {
    return this.#inner.end();
  }

  /** The new text to send now: none while all text may still be part of the prefill. */
  #newText(piece: string, isLast: boolean): string {
    this.#held += piece;
    const [held, prefill] = [this.#held, this.#prefill];
    if (!isLast && held.length < prefill.length && prefill.startsWith(held)) return "";
    this.#isDone = true;
    return held.startsWith(prefill) ? held.slice(prefill.length) : held;
  }
}
