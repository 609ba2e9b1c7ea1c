import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chatOf } from "../../../testkit/translation/googleinverse.ts";
import { chatRequest, googleAnswer } from "../../../testkit/translation/googlerequest.ts";
import { ChatChunk, type ChatCompletion } from "../../../wire/chat.ts";
import type { GoogleAnswer, GoogleRequest } from "../../../wire/google.ts";
import { DONE, EventReader } from "../../../wire/sse.ts";
import { readThoughtSignature } from "./thoughtsignature.ts";
import { chatOverGoogle } from "./translation.ts";

const HELLO = { model: "m", messages: [{ role: "user", content: "hi" }] };

/** A message put together of the chunks of a stream; its usage, and whether it ended well. */
function assembled(text: string) {
  const events = new EventReader().push(new TextEncoder().encode(text)).map(({ data }) => data);
  const messages = new Map<number, Record<string, unknown>>();
  const finishes = new Map<number, string>();
  let usage: unknown;
  const isDone = events.at(-1) === DONE;
  for (const data of isDone ? events.slice(0, -1) : events) {
    const chunk = ChatChunk.parse(JSON.parse(data));
    if (chunk.choices.length === 0) usage = chunk.usage;
    else expect(chunk.usage).toBeNull();
    for (const { index, delta, finish_reason: finish } of chunk.choices) {
      const message = messages.get(index) ?? {};
      messages.set(index, message);
      for (const [key, value] of Object.entries(delta)) {
        if (key === "tool_calls") {
          const calls = value as { index: number }[];
          const bare = calls.map(({ index: _, ...call }) => call);
          message[key] = [...((message[key] as object[]) ?? []), ...bare];
        } else if (typeof value === "string" && key !== "role") {
          message[key] = `${message[key] ?? ""}${value}`;
        } else {
          message[key] = value;
        }
      }
      if (finish) finishes.set(index, finish);
    }
  }
  return { messages, finishes, usage, isDone };
}

/** The same answer as events: one part each, texts in two, the reason and the counts at last. */
function eventsOf({ candidates, usageMetadata, responseId }: GoogleAnswer): object[] {
  const answers = candidates as unknown as {
    content: { parts: { text?: string }[] };
    index: number;
    finishReason: string;
  }[];
  const pieces = answers.flatMap(({ content, index }) =>
    content.parts.flatMap((part) => {
      const { text } = part;
      if (text === undefined || text.length < 2) return [{ index, part }];
      const at = Math.floor(text.length / 2);
      return [text.slice(0, at), text.slice(at)].map((half) => ({
        index,
        part: { ...part, text: half },
      }));
    }),
  );
  return [
    ...pieces.map(({ index, part }) => ({
      candidates: [{ index, content: { role: "model", parts: [part] } }],
      usageMetadata: { promptTokenCount: 1 },
      responseId,
    })),
    {
      candidates: answers.map(({ index, finishReason }) => ({ index, finishReason })),
      usageMetadata,
    },
  ];
}

function signedBy(call: object): object {
  const thoughtSignature = readThoughtSignature(call);
  return thoughtSignature === undefined ? {} : { thoughtSignature };
}

describe("chat completions over Google's API", () => {
  test("a request says there what it said here", () => {
    fc.assert(
      fc.property(chatRequest, (request) => {
        const body = chatOverGoogle(request).body as unknown as GoogleRequest;
        const sent = JSON.parse(JSON.stringify(body)) as GoogleRequest;
        const expected = JSON.parse(JSON.stringify(request));
        expect(chatOf(sent, request.model, request.stream === true)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("an answer says here what it said there", () => {
    fc.assert(
      fc.property(googleAnswer, (given) => {
        const answer = chatOverGoogle(HELLO).answer(given) as ChatCompletion;
        expect(answer.choices).toHaveLength(given.candidates.length);
        for (const [at, { content, finishReason }] of given.candidates.entries()) {
          const choice = answer.choices[at];
          const message = choice?.message;
          const parts: Record<string, unknown>[] = content.parts;
          const texts = parts.filter((part) => "text" in part && part.thought !== true);
          const thoughts = parts.filter((part) => part.thought === true);
          const calls = content.parts.flatMap((part) => ("functionCall" in part ? [part] : []));
          const join = (all: Record<string, unknown>[]) => all.map(({ text }) => text).join("");
          expect(message?.content ?? "").toBe(join(texts));
          expect(message?.reasoning_content ?? "").toBe(join(thoughts));
          expect(
            (message?.tool_calls ?? []).map(
              ({ id, function: { name, arguments: args }, ...more }) => ({
                functionCall: { id, name, args: JSON.parse(args) },
                ...signedBy(more),
              }),
            ),
          ).toEqual(JSON.parse(JSON.stringify(calls)));
          const stop = calls.length > 0 ? "tool_calls" : "stop";
          const finishes = { STOP: stop, MAX_TOKENS: "length", SAFETY: "content_filter" };
          expect(choice?.finish_reason).toBe(finishes[finishReason]);
        }
        const { usageMetadata: usage } = given;
        expect(answer.usage).toMatchObject({
          prompt_tokens: usage.promptTokenCount,
          completion_tokens: usage.candidatesTokenCount + usage.thoughtsTokenCount,
          prompt_tokens_details: { cached_tokens: usage.cachedContentTokenCount },
          completion_tokens_details: { reasoning_tokens: usage.thoughtsTokenCount },
        });
      }),
      { numRuns: 200 },
    );
  });

  test("a stream says what the whole answer says", () => {
    fc.assert(
      fc.property(googleAnswer, (given) => {
        const translation = chatOverGoogle({
          ...HELLO,
          stream: true,
          stream_options: { include_usage: true },
        });
        const whole = translation.answer(given) as ChatCompletion;
        const stream = translation.stream?.();
        const pushed = eventsOf(given as unknown as GoogleAnswer).map((event) =>
          stream?.push({ event: undefined, data: JSON.stringify(event) }),
        );
        const got = assembled([...pushed, stream?.end()].join(""));
        expect(got.isDone).toBe(true);
        expect(got.usage as unknown).toEqual(whole.usage);
        for (const { index, message, finish_reason: finish } of whole.choices) {
          const { content, ...rest } = message;
          const { content: streamed, ...others } = got.messages.get(index) ?? {};
          expect(others as object).toEqual(rest);
          expect(streamed ?? "").toBe(content ?? "");
          expect(got.finishes.get(index)).toBe(finish ?? "");
        }
      }),
      { numRuns: 200 },
    );
  });
});
