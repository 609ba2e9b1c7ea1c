import { z } from "zod";
import { parseJson } from "../lib/json.ts";
import { ApiError } from "../wire/error.ts";
import { DONE, EventReader } from "../wire/sse.ts";
import { readUpstreamError } from "../wire/upstreamerror.ts";

const Call = z.looseObject({
  index: z.number().nullish(),
  id: z.string().nullish(),
  function: z
    .looseObject({ name: z.string().nullish(), arguments: z.string().nullish() })
    .nullish(),
});
type Call = z.infer<typeof Call>;

const Choice = z.looseObject({
  index: z.number().nullish(),
  text: z.string().nullish(),
  delta: z.looseObject({ tool_calls: z.array(Call).nullish() }).nullish(),
  finish_reason: z.string().nullish(),
  logprobs: z.looseObject({}).nullish(),
});
type Choice = z.infer<typeof Choice>;

const Chunk = z.looseObject({ object: z.string().nullish(), choices: z.array(Choice) });
const LastOfResponse = z.looseObject({
  type: z.enum(["response.completed", "response.incomplete", "response.failed"]),
  response: z.looseObject({}),
});

/** Fields of a message that every piece of it repeats, if it has them. */
const REPEATED = new Set(["role", "id", "type", "name"]);

/**
 * The answer in one piece of a stream that nobody asked for, as some servers send it: of (chat)
 * completions and of responses. Undefined for a stream of something else. Throws `upstream` where
 * the stream tells of an error or ends too early.
 */
export function wholeFromStream(bytes: Uint8Array): Uint8Array | undefined {
  const reader = new EventReader();
  const events = [...reader.push(bytes), ...reader.end()];
  const jsons = events.map(({ data }) => parseJson(data)).filter((json) => isObject(json));
  for (const json of jsons) if (isObject(json.error)) throw failure(json);
  const last = LastOfResponse.safeParse(jsons.at(-1)).data;
  if (last !== undefined) return encode(last.response);
  const chunks = jsons.flatMap((json) => Chunk.safeParse(json).data ?? []);
  const [first] = chunks;
  if (first === undefined) return undefined;
  const choices = new Map<number, WholeChoice>();
  for (const piece of chunks.flatMap((chunk) => chunk.choices)) {
    const index = piece.index ?? 0;
    const choice = choices.get(index) ?? new WholeChoice(index);
    choices.set(index, choice);
    choice.add(piece);
  }
  const isDone = events.some(({ data }) => data === DONE);
  const isFinished = [...choices.values()].every((choice) => choice.isFinished);
  if (choices.size === 0 || !(isDone || isFinished)) throw cut();
  const usage = chunks.findLast((chunk) => chunk.usage != null)?.usage;
  return encode({
    ...first,
    ...{ object: first.object?.replace(/\.chunk$/, ""), usage },
    choices: [...choices.values()].map((choice) => choice.json()),
  });
}

/** A choice as it grows. */
class WholeChoice {
  readonly #index: number;
  readonly #message: Record<string, unknown> = {};
  readonly #calls: Call[] = [];
  #rest: Record<string, unknown> = {};
  #text: string | undefined;
  #finishReason: string | null = null;

  constructor(index: number) {
    this.#index = index;
  }

  get isFinished(): boolean {
    return this.#finishReason !== null;
  }

  add({ text, delta, finish_reason, logprobs, ...rest }: Choice): void {
    this.#rest = { ...this.#rest, ...rest };
    if (text != null) this.#text = (this.#text ?? "") + text;
    if (finish_reason) this.#finishReason = finish_reason;
    if (logprobs != null) this.#rest.logprobs = grown(this.#rest.logprobs, logprobs);
    const { tool_calls, ...fields } = delta ?? {};
    for (const [name, value] of Object.entries(fields)) {
      if (value == null) continue;
      const before = this.#message[name];
      this.#message[name] = REPEATED.has(name) ? value : grown(before, value);
    }
    for (const call of tool_calls ?? []) this.#addCall(call);
  }

  json(): object {
    const end = { index: this.#index, finish_reason: this.#finishReason };
    if (this.#text !== undefined) return { ...this.#rest, text: this.#text, ...end };
    const calls = this.#calls.map(({ index: _, ...call }) => ({ type: "function", ...call }));
    const message = { role: "assistant", content: null, ...this.#message };
    const tools = calls.length === 0 ? {} : { tool_calls: calls };
    return { ...this.#rest, message: { ...message, ...tools }, ...end };
  }

  /** A call goes on by its number, or by its id; one without either belongs to the last. */
  #addCall(piece: Call): void {
    const last = this.#calls.at(-1);
    const before =
      piece.index != null
        ? this.#calls.find(({ index }) => index === piece.index)
        : piece.id
          ? this.#calls.find(({ id }) => id === piece.id)
          : last;
    const { name, arguments: text, ...more } = piece.function ?? {};
    if (before === undefined) {
      const made = { ...more, name: name ?? "", arguments: text ?? "" };
      this.#calls.push({ ...piece, function: made });
      return;
    }
    const own = before.function ?? {};
    before.id ||= piece.id;
    before.function = {
      ...own,
      name: own.name || name,
      arguments: (own.arguments ?? "") + (text ?? ""),
    };
  }
}

/** Texts and lists grow, what is in objects as well; anything else is said anew. */
function grown(before: unknown, more: unknown): unknown {
  if (typeof before === "string" && typeof more === "string") return before + more;
  if (Array.isArray(before) && Array.isArray(more)) return [...before, ...more];
  if (!isObject(before) || !isObject(more)) return more ?? before;
  const names = Object.keys({ ...before, ...more });
  return Object.fromEntries(names.map((name) => [name, grown(before[name], more[name])]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function encode(json: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}

function failure(json: object): ApiError {
  return new ApiError("upstream", readUpstreamError(502, json).message);
}

function cut(): ApiError {
  const message = "The endpoint's answer could not be read: its stream ended too early.";
  return new ApiError("upstream", message);
}
