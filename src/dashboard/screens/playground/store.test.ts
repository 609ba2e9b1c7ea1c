import { expect, test } from "bun:test";
import { newConversation } from "./conversation.ts";
import { CHARS_MAX, CONVERSATIONS_MAX, isIn, MemoryStore, surplusOf } from "./store.ts";
import { exported, imported } from "./transfer.ts";

const head = (id: number, more: object = {}) => ({
  ...{ id: String(id), title: "", updatedAt: id, turns: 1, chars: 1, ...more },
});
const talk = (text: string) => ({
  ...newConversation(),
  turns: [{ text, images: [], lanes: [] }],
});

test("the oldest conversations go when there are too many, or too much", () => {
  const many = Array.from({ length: CONVERSATIONS_MAX + 2 }, (_, i) => head(i));
  expect(surplusOf(many, head(5000))).toEqual(["2", "1", "0"]);
  const large = [head(1, { chars: CHARS_MAX / 2 }), head(2, { chars: CHARS_MAX / 2 })];
  expect(surplusOf(large, head(3))).toEqual(["1"]);
});

test("an empty conversation goes, the one that is kept stays", () => {
  const empty = { turns: 0 };
  expect(surplusOf([head(1, empty), head(2, empty), head(3)], head(2, empty))).toEqual(["1"]);
});

test("conversations are listed from the newest on, without empty ones", async () => {
  const store = new MemoryStore();
  const [old, recent] = [
    { ...talk("old"), updatedAt: 1 },
    { ...talk("recent"), updatedAt: 2 },
  ];
  await store.save(recent);
  await store.save(old);
  await store.save(newConversation());
  expect((await store.heads()).map(({ title }) => title)).toEqual(["recent", "old"]);
  expect(await store.search("REC")).toEqual(new Set([recent.id]));
});

test("a text is found in titles, messages and answers", () => {
  const steps = [{ content: "An Answer", thinking: "", calls: [] }];
  const turns = [{ text: "Question", images: [], lanes: [{ model: "m", isJson: false, steps }] }];
  const one = { ...newConversation(), title: "Title", turns };
  expect(["title", "quest", "answer", "none"].map((text) => isIn(one, text))).toEqual([
    ...[true, true, true, false],
  ]);
});

test("what was exported is imported as new conversations; other files say what is wrong", () => {
  const one = talk("hi");
  const [again] = imported(exported([one]));
  expect(again).toEqual({ ...one, id: again?.id ?? "" });
  expect(again?.id).not.toBe(one.id);
  expect(() => imported('{"format":"other"}')).toThrow("it is no export of conversations");
  const hostile = {
    ...one,
    turns: [{ ...one.turns[0], images: [{ id: "a", name: "", url: "x" }] }],
  };
  expect(() => imported(exported([hostile as never]))).toThrow("data URL");
});
