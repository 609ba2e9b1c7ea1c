import { z } from "zod";
import { FinishReason, ToolCallDelta } from "../wire/chat.ts";
import { ToolCallTracker } from "./chat/toolcalls.ts";

/** A choice in a chunk of a stream of (chat) completions; unknown fields are kept. */
export const ChunkChoice = z.looseObject({
  index: z.coerce.number().catch(0),
  text: z.string().nullish(),
  delta: z.looseObject({ tool_calls: z.array(ToolCallDelta).nullish() }).nullish(),
  finish_reason: FinishReason,
  logprobs: z.looseObject({}).nullish(),
});
type ChunkChoice = z.infer<typeof ChunkChoice>;

interface WholeCall {
  id: string | null | undefined;
  type: "function";
  function: { name: string; arguments: string };
}

/** Fields of a message that every piece of it repeats, if it has them. */
const REPEATED = new Set(["role", "id", "type", "name"]);

/** A choice of a stream as it grows. */
export class WholeChoice {
  readonly #index: number;
  readonly #message: Record<string, unknown> = {};
  readonly #tracker = new ToolCallTracker();
  readonly #calls: WholeCall[] = [];
  #rest: Record<string, unknown> = {};
  #text: string | undefined;
  #isChat = false;
  #finishReason: string | null = null;

  constructor(index: number) {
    this.#index = index;
  }

  get isFinished(): boolean {
    return this.#finishReason !== null;
  }

  add({ text, delta, finish_reason, logprobs, ...rest }: ChunkChoice): void {
    this.#rest = { ...this.#rest, ...rest };
    if (text != null) this.#text = (this.#text ?? "") + text;
    this.#finishReason = finish_reason ?? this.#finishReason;
    if (logprobs != null) this.#rest.logprobs = grown(this.#rest.logprobs, logprobs);
    // Some write each piece of a chat as the text of a completion, too.
    if (delta != null) this.#isChat = true;
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
    if (this.#text !== undefined && !this.#isChat)
      return { ...this.#rest, text: this.#text, ...end };
    const calls = this.#calls.map(({ id, ...call }) => ({ ...(id ? { id } : {}), ...call }));
    const message = { role: "assistant", content: null, ...this.#message };
    const tools = calls.length === 0 ? {} : { tool_calls: calls };
    return { ...this.#rest, message: { ...message, ...tools }, ...end };
  }

  #addCall(piece: ToolCallDelta): void {
    const { number, id, name } = this.#tracker.add(piece);
    const { index: _, id: __, function: called, ...more } = piece;
    const { name: ___, arguments: text = "", ...fields } = called ?? {};
    const before = this.#calls[number];
    this.#calls[number] = {
      ...{ ...before, ...more, id, type: "function" },
      function: {
        ...{ ...before?.function, ...fields, name },
        arguments: (before?.function.arguments ?? "") + text,
      },
    };
  }
}

/** Texts and lists grow, what is in objects as well; anything else is said anew. */
function grown(before: unknown, more: unknown): unknown {
  if (typeof before === "string" && typeof more === "string") return before + more;
  if (Array.isArray(before) || Array.isArray(more)) {
    return [...partsOf(before), ...partsOf(more)];
  }
  if (!isObject(before) || !isObject(more)) return more ?? before;
  const names = Object.keys({ ...before, ...more });
  return Object.fromEntries(names.map((name) => [name, grown(before[name], more[name])]));
}

/** A list as it is; a text beside lists is a part with a text. */
function partsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return value === "" ? [] : [{ type: "text", text: value }];
  return value == null ? [] : [value];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
