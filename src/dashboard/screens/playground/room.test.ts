import { expect, test } from "bun:test";
import { type Conversation, newConversation, type Step } from "./conversation.ts";
import type { OutgoingChat } from "./request.ts";
import { Room } from "./room.ts";

const timings = {
  ...{ queueMs: null, firstTokenMs: 1, totalMs: 2, inputTokens: null, outputTokens: null },
  ...{ cachedTokens: null, endpoint: null, requestId: null },
};
const step = (content: string, more: Partial<Step> = {}): Step => ({
  ...{ content, thinking: "", calls: [], timings, ...more },
});

/** A room whose answers a test gives, one after the other. */
function roomWith(targets = [{ model: "m", endpoint: "" }]) {
  const asked: { request: OutgoingChat; signal: AbortSignal; answer(step: Step): void }[] = [];
  const shown: ((step: Step) => void)[] = [];
  const kept: Conversation[] = [];
  const room = new Room(
    { ...newConversation(), targets },
    {
      ask: (request, { signal, onStep }) =>
        new Promise((resolve) => {
          shown.push(onStep);
          asked.push({ request, signal, answer: resolve });
          signal.addEventListener("abort", () => resolve(step("", { finish: "stopped" })));
        }),
      keep: (conversation) => kept.push(conversation),
      schedule: (run) => run(),
    },
  );
  return { room, asked, shown, kept };
}

const texts = (room: Room) =>
  room.state.conversation.turns.map(({ text, lanes }) => [
    text,
    ...lanes.map(({ steps }) => steps.map(({ content }) => content).join("+")),
  ]);

test("an answer is shown as it comes and kept when it is whole", async () => {
  const { room, asked, shown, kept } = roomWith();
  room.say({ text: "hi", images: [] });
  expect([room.state.running, kept.length]).toEqual([[0], 1]);
  shown[0]?.(step("He"));
  expect(texts(room)).toEqual([["hi", "He"]]);
  asked[0]?.answer(step("Hello"));
  await Bun.sleep(0);
  expect([texts(room), room.state.running]).toEqual([[["hi", "Hello"]], []]);
  expect(kept.at(-1)?.turns).toEqual(room.state.conversation.turns);
});

test("two models are asked at once, and one of them again", async () => {
  const { room, asked } = roomWith([
    { model: "m", endpoint: "" },
    { model: "n", endpoint: "" },
  ]);
  room.say({ text: "hi", images: [] });
  expect(asked.map(({ request }) => request.body.model)).toEqual(["m", "n"]);
  asked[1]?.answer(step("n says"));
  await Bun.sleep(0);
  expect(room.state.running).toEqual([0]);
  asked[0]?.answer(step("m says"));
  await Bun.sleep(0);
  room.regenerate({ at: 0, lane: 1 });
  asked[2]?.answer(step("n again"));
  await Bun.sleep(0);
  expect(texts(room)).toEqual([["hi", "m says", "n again"]]);
});

test("what is said instead ends the answer before, of which nothing comes any more", async () => {
  const { room, asked, shown } = roomWith();
  room.say({ text: "one", images: [] });
  room.say({ text: "other", images: [] }, 0);
  expect(asked[0]?.signal.aborted).toBe(true);
  shown[0]?.(step("late"));
  asked[1]?.answer(step("right"));
  await Bun.sleep(0);
  expect(texts(room)).toEqual([["other", "right"]]);
});

test("the model goes on once the results of all its calls are known", async () => {
  const { room, asked } = roomWith();
  const call = (id: string) => ({ id, name: "f", arguments: "{}", result: null });
  room.say({ text: "hi", images: [] });
  asked[0]?.answer(step("", { calls: [call("a"), call("b")] }));
  await Bun.sleep(0);
  room.giveResult({ at: 0, lane: 0 }, "a", "1");
  expect(asked).toHaveLength(1);
  room.giveResult({ at: 0, lane: 0 }, "b", "2");
  expect(asked).toHaveLength(2);
  asked[1]?.answer(step("done"));
  await Bun.sleep(0);
  expect(texts(room)).toEqual([["hi", "+done"]]);
});

test("of a conversation that is to be removed nothing is kept any more", async () => {
  const { room, asked, kept } = roomWith();
  room.say({ text: "hi", images: [] });
  room.abandon();
  expect(asked[0]?.signal.aborted).toBe(true);
  await Bun.sleep(0);
  expect(kept).toHaveLength(1);
});
