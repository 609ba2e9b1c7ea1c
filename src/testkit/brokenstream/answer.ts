import type { RouteName } from "../../wire/route.ts";
import { DONE, EventReader } from "../../wire/sse.ts";

type Fields = Record<string, unknown>;

/** Fields with text, of which it does not matter in how many pieces it comes. */
const TEXTS = new Set([
  ...["content", "reasoning_content", "text", "thinking", "arguments", "partial_json"],
  ...["delta", "response"],
]);
/** Lists that come in pieces along with the text. */
const LISTS = new Set(["logprobs"]);
/** What is another one in each stream, but the same in all of it. */
const NAMED = new Set(["id", "item_id", "call_id", "created", "model"]);
const TIMES = /(?:_at|_duration)$/;

/**
 * What a client makes of a stream: its events, those that only go on with the text of the one
 * before (of the same choice) as one, without what is another thing each time: ids, times. Of ids
 * it tells which are the same.
 */
export function answerIn(route: RouteName, text: string): unknown {
  const isLines = route === "ollama_chat" || route === "ollama_generate";
  const reader = new EventReader();
  const data = isLines
    ? text.split("\n").filter((line) => line.trim() !== "")
    : [...reader.push(Buffer.from(text)), ...reader.end()].map((event) => event.data);
  const events = data.map((one) => (one === DONE ? { done: DONE } : (JSON.parse(one) as Fields)));
  const named = new Names().replace(events) as Fields[];
  const said = named.filter(({ type }) => type !== "ping");
  if (route !== "chat" && route !== "generate")
    return { events: folded(said.map(unnumbered)), gaps: gapsIn(said) };
  return choicesOf(said);
}

/** The choices of a stream of (chat) completions, each for itself, and all that is beside them. */
function choicesOf(events: Fields[]): unknown {
  const choices = new Map<unknown, Fields[]>();
  for (const { choices: all } of events) {
    for (const choice of Array.isArray(all) ? (all as Fields[]) : []) {
      choices.set(choice.index, [...(choices.get(choice.index) ?? []), choice]);
    }
  }
  const rest = events.filter(
    (event) => !Array.isArray(event.choices) || event.choices.length === 0,
  );
  const heads = events
    .filter((event) => event.done === undefined && event.error === undefined)
    .map(({ id, created, model, object }) => JSON.stringify([id, created, model, object]));
  const told = Object.fromEntries([...choices].map(([index, all]) => [index, folded(all)]));
  return { choices: told, rest, heads: [...new Set(heads)] };
}

/** Events that go on with the text of the one before are one with it. */
function folded(events: Fields[]): unknown[] {
  const made: Fields[] = [];
  for (const event of events) {
    const last = made.at(-1);
    if (last !== undefined && shapeOf(last) === shapeOf(event))
      made[made.length - 1] = merged(last, event);
    else if (!saysNothing(event)) made.push(event);
  }
  return made;
}

const saysNothing = (event: Fields) =>
  JSON.stringify(event.delta) === '{"content":""}' && event.finish_reason === null;

function shapeOf(event: Fields): string {
  return JSON.stringify(event, (key, value) => {
    if (LISTS.has(key)) return "list";
    return TEXTS.has(key) && typeof value === "string" ? "text" : value;
  });
}

function merged(a: Fields, b: Fields): Fields {
  const entries = Object.entries(a).map(([key, value]) => [
    key,
    LISTS.has(key) ? both(value, b[key]) : mergedValue(key, value, b[key]),
  ]);
  return Object.fromEntries(entries);
}

function mergedValue(key: string, a: unknown, b: unknown): unknown {
  if (TEXTS.has(key) && typeof a === "string") return a + String(b);
  if (Array.isArray(a)) return a.map((one, i) => mergedValue("", one, (b as unknown[])[i]));
  return typeof a === "object" && a !== null ? merged(a as Fields, b as Fields) : a;
}

/** Lists, or objects of lists, one behind the other. */
function both(a: unknown, b: unknown): unknown {
  if (a == null || b == null) return a ?? b;
  if (Array.isArray(a)) return [...a, ...(b as unknown[])];
  const fields = b as Fields;
  return Object.fromEntries(
    Object.entries(a).map(([name, list]) => [name, both(list, fields[name])]),
  );
}

function unnumbered({ sequence_number: _, ...event }: Fields): Fields {
  return event;
}

/** Numbers of a response's events that are not one more than the one before. */
function gapsIn(events: Fields[]): unknown[] {
  const numbers = events.map((event) => event.sequence_number).filter((one) => one !== undefined);
  return numbers.filter((number, index) => number !== index);
}

/** Gives ids names by the order in which they come, and times away. */
class Names {
  readonly #names = new Map<unknown, string>();

  replace(value: unknown, key = ""): unknown {
    if (TIMES.test(key)) return "a time";
    if (NAMED.has(key) && value !== null) return this.#name(value);
    if (Array.isArray(value)) return value.map((one) => this.replace(one));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, this.replace(one, name)]),
    );
  }

  #name(id: unknown): string {
    const known = this.#names.get(id) ?? `id ${this.#names.size}`;
    this.#names.set(id, known);
    return known;
  }
}
