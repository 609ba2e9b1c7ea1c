import { asBuffer } from "../../../lib/buffer.ts";
import { parseExactObject } from "../../../lib/json.ts";
import { memberSpan, type Span } from "../../../lib/jsonspan.ts";
import { DONE } from "../../../wire/sse.ts";
import type { EventEdit } from "./lines.ts";

export interface UsageOptions {
  /** The client asked for it: `stream_options.include_usage`. */
  asked: boolean;
  /** About how many tokens the prompt has: asked only if the endpoint does not tell. */
  promptTokens(): number;
}

const USAGE = Buffer.from('"usage"');
/** A choice has its last piece. */
const FINISHED = /"finish_reason"\s*:\s*"[^"]/;

/**
 * Makes the usage in a stream of (chat) completions what OpenAI defines, whatever the endpoint
 * does. Asked for: one event without choices before `[DONE]`, or the end, and `usage: null` in all
 * others. Not asked for: none at all. An endpoint that does not tell gets an estimate, marked
 * `estimated`: one token per event with text.
 * Source: https://platform.openai.com/docs/api-reference/chat/create (stream_options)
 */
export class UsageEdit implements EventEdit {
  readonly needle: Buffer | undefined;
  readonly #options: UsageOptions;
  #told: unknown;
  #events = 0;
  /** The last event: what the usage's own one says besides. */
  #last: Buffer | undefined;
  #sent = false;

  constructor(options: UsageOptions) {
    this.#options = options;
    this.needle = options.asked ? undefined : USAGE;
  }

  /** Of a stream that ends in good order, but without `[DONE]`. */
  end(): Buffer[] {
    const last = this.#last;
    if (!this.#options.asked || this.#sent || last === undefined) return [];
    return this.#told === undefined && !FINISHED.test(last.toString()) ? [] : [this.#usage(last)];
  }

  edit(data: Buffer): Buffer[] {
    return this.#options.asked ? this.#asked(data) : notAsked(data);
  }

  #asked(data: Buffer): Buffer[] {
    if (data.length === DONE.length && data.toString() === DONE) {
      const events = this.#sent || this.#last === undefined ? [] : [this.#usage(this.#last)];
      this.#sent = true;
      return [...events, data];
    }
    const span = data.includes(USAGE) ? memberSpan(data, "usage") : undefined;
    if (span === undefined || isNull(data, span)) return [this.#without(data, span !== undefined)];
    const event = parse(data);
    if (event === undefined) return [data];
    const { choices, usage, ...rest } = event;
    if (!Array.isArray(choices) || choices.length === 0) {
      this.#sent = true;
      // Strict clients want a list.
      if (Array.isArray(choices)) return [data];
      return [Buffer.from(JSON.stringify({ ...rest, choices: [], usage }))];
    }
    // Told with the last words instead of after them, or along with all of them.
    this.#told = usage;
    this.#last = data;
    return [Buffer.from(JSON.stringify({ ...rest, choices, usage: null }))];
  }

  /** An event that has no usage; errors stay as they are. */
  #without(data: Buffer, hasNull: boolean): Buffer {
    if (memberSpan(data, "choices") === undefined) {
      // Nothing is counted of an answer that ends with an error.
      if (memberSpan(data, "error") !== undefined) this.#sent = true;
      return data;
    }
    this.#events += 1;
    this.#last = data;
    const end = data.lastIndexOf("}");
    if (hasNull || end === -1) return data;
    return Buffer.concat([data.subarray(0, end), Buffer.from(',"usage":null}')]);
  }

  #usage(last: Buffer): Buffer {
    const { id, object, created, model } = parse(last) ?? {};
    const usage = this.#told ?? this.#estimate();
    return Buffer.from(JSON.stringify({ id, object, created, model, choices: [], usage }));
  }

  #estimate() {
    const prompt = this.#options.promptTokens();
    // The first has the role only, the last the reason of the end.
    const completion = Math.max(0, this.#events - 2);
    const counts = { prompt_tokens: prompt, completion_tokens: completion };
    return { ...counts, total_tokens: prompt + completion, estimated: true };
  }
}

function notAsked(data: Buffer): Buffer[] {
  if (!data.includes(USAGE)) return [data];
  const span = memberSpan(data, "usage");
  if (span === undefined || isNull(data, span)) return [data];
  const event = parse(data);
  if (event === undefined) return [data];
  const { usage: _, ...rest } = event;
  const { choices, error } = rest;
  const hasChoices = Array.isArray(choices) ? choices.length > 0 : choices != null;
  if (!hasChoices && error == null) return [];
  return [Buffer.from(JSON.stringify(rest))];
}

function isNull(data: Buffer, { start, end }: Span): boolean {
  return data.toString("utf8", start, end) === "null";
}

/** Undefined for what is no object after all: it is passed as it came. */
function parse(data: Buffer): Record<string, unknown> | undefined {
  return parseExactObject(data.toString("utf8"));
}

const ASK = Buffer.from('{"stream_options":{"include_usage":true},');

/** A streaming request that asks for usage though its client did not. */
export function askingForUsage(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = asBuffer(body);
  const open = bytes.indexOf("{");
  return Buffer.concat([ASK, bytes.subarray(open + 1)]) as Uint8Array<ArrayBuffer>;
}
