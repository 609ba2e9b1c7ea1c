import { describe, expect, test } from "bun:test";
import { MessageStream } from "@anthropic-ai/sdk/lib/MessageStream";
import { Stream } from "@anthropic-ai/sdk/streaming";
import fc from "fast-check";
import { answer } from "../../../testkit/translation/anthropicanswer.ts";
import { MODEL, request } from "../../../testkit/translation/anthropicrequest.ts";
import {
  chatEvents,
  eventsIn,
  messageEvents,
  streamed,
} from "../../../testkit/translation/anthropicstream.ts";
import { ChatChunk } from "../../../wire/chat.ts";
import { anthropicMessagesOverChat } from "../../client/anthropic/translation.ts";
import { chatOverAnthropic } from "./translation.ts";

const asked = { model: MODEL, messages: [{ role: "user", content: "Hello" }] };
const chat = () => chatOverAnthropic({ ...asked, stream_options: { include_usage: true } });
const messages = () =>
  anthropicMessagesOverChat({ ...asked, max_tokens: 9, stop_sequences: ["END"] });
const cuts = fc.array(fc.nat(200), { maxLength: 4 });
const order = fc.array(fc.nat(5), { maxLength: 8 });
const runs = { numRuns: 300 };

describe("there and back", () => {
  test("a request of messages is the same, and says the same as a chat", () => {
    fc.assert(
      fc.property(request, (given) => {
        const there = anthropicMessagesOverChat(given.messages).body;
        expect(there).toEqual(given.chat);
        expect(chatOverAnthropic(there).body).toEqual(given.messages);
      }),
      runs,
    );
  });

  test("a request of a chat is the same", () => {
    fc.assert(
      fc.property(request, (given) => {
        const there = chatOverAnthropic(given.chat).body;
        expect(there).toEqual(given.messages);
        expect(anthropicMessagesOverChat(there).body).toEqual(given.chat);
      }),
      runs,
    );
  });

  test("an answer is the same, from either side", () => {
    fc.assert(
      fc.property(answer, ({ message, completion }) => {
        const said = { ...chat().answer(message), created: 0 };
        expect(said).toEqual(completion);
        expect(messages().answer(said)).toEqual(message);
      }),
      runs,
    );
  });
});

describe("a streamed answer", () => {
  test("of a chat makes the message that the whole answer makes", async () => {
    await fc.assert(
      fc.asyncProperty(answer, cuts, order, async (given, at, mix) => {
        const text = streamed(stream(messages()), chatEvents(given, at, mix));
        expect(await assembled(text)).toEqual(given.message);
        expect(sequential(text)).toBe(true);
      }),
      runs,
    );
  });

  test("of messages makes the completion that the whole answer makes", () => {
    fc.assert(
      fc.property(answer, cuts, (given, at) => {
        const text = streamed(stream(chat()), messageEvents(given, at));
        expect(completed(text)).toEqual(given.completion);
      }),
      runs,
    );
  });

  test("goes there and back wherever its bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(answer, cuts, cuts, async (given, at, bytes) => {
        const there = streamed(stream(chat()), messageEvents(given, at));
        const back = streamed(stream(messages()), eventsIn(there, bytes));
        expect(await assembled(back)).toEqual(given.message);
      }),
      runs,
    );
  });

  test("that breaks off is never finished, and ends with one error", () => {
    fc.assert(
      fc.property(answer, cuts, order, fc.nat(), (given, at, mix, end) => {
        const all = messageEvents(given, at);
        const cut = streamed(stream(chat()), all.slice(0, end % all.length));
        expect(cut).not.toContain("[DONE]");
        expect(cut.match(/^data: \{"error":/gm)).toHaveLength(1);
        expect(cut.trimEnd().split("\n").at(-1)).toStartWith('data: {"error":');

        const chunks = chatEvents(given, at, mix);
        const finish = chunks.length - 3;
        const broken = streamed(stream(messages()), chunks.slice(0, end % (finish + 1)));
        expect(broken).not.toContain("message_stop");
        expect(broken.match(/^event: error$/gm)).toHaveLength(1);
        expect(eventsIn(broken).at(-1)?.event).toBe("error");
      }),
      runs,
    );
  });
});

function stream(translation: ReturnType<typeof chat>) {
  const made = translation.stream?.();
  if (made === undefined) throw new Error("these answers stream");
  return made;
}

/** The message that the official client makes of a stream. */
async function assembled(text: string): Promise<object> {
  const events = Stream.fromSSEResponse(new Response(text), new AbortController());
  const message = await MessageStream.fromReadableStream(events.toReadableStream()).finalMessage();
  const ours = (key: string, value: unknown) => (key === "parsed_output" ? undefined : value);
  return JSON.parse(JSON.stringify(message, ours));
}

/** Whether blocks are numbered in order, and each is told before the next begins. */
function sequential(text: string): boolean {
  let index = -1;
  let open = false;
  return eventsIn(text).every(({ event = "", data }) => {
    if (!event.startsWith("content_block")) return !open;
    const starts = event === "content_block_start";
    if (starts === open) return false;
    if (starts) index += 1;
    open = event !== "content_block_stop";
    return JSON.parse(data).index === index;
  });
}

/** The completion that a stream of chunks tells. */
function completed(text: string): object {
  const events = eventsIn(text);
  expect(events.pop()?.data).toBe("[DONE]");
  const chunks = events.map(({ data }) => ChatChunk.parse(JSON.parse(data)));
  const last = chunks.pop();
  expect(last?.choices).toEqual([]);
  expect(chunks.every(({ usage }) => usage === null)).toBe(true);
  let [content, thoughts] = ["", ""];
  const calls: { id: string; type: string; function: { name: string; arguments: string } }[] = [];
  for (const { delta } of chunks.flatMap(({ choices }) => choices)) {
    content += delta.content ?? "";
    thoughts += delta.reasoning_content ?? "";
    for (const { index, id, function: called } of delta.tool_calls ?? []) {
      const name = called?.name ?? "";
      const fresh = { id: id ?? "", type: "function", function: { name, arguments: "" } };
      const call = calls[index ?? 0] ?? fresh;
      calls[index ?? 0] = call;
      call.function.arguments += called?.arguments ?? "";
    }
  }
  const { delta: _, ...finish } = chunks.at(-1)?.choices[0] ?? { delta: {} };
  const message = {
    role: "assistant",
    content: content === "" && calls.length > 0 ? null : content,
    refusal: null,
    ...(thoughts === "" ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const { id, model, usage } = last ?? {};
  const whole = { id, object: "chat.completion", created: 0, model };
  return { ...whole, choices: [{ ...finish, message }], usage };
}
