import type { ContinuationWay } from "./decision.ts";
import { probabilitiesBehind, probabilitiesMoved, probabilitiesOfBoth } from "./probabilities.ts";
import { Repeat, type RepeatedText, saysOther } from "./repeat.ts";
import { StopGuard } from "./stopguard.ts";
import { HEAD, isFields, isSaid, type Transcript } from "./transcript.ts";

export interface JoinerOptions {
  /** What the client was sent before. */
  transcript: Transcript;
  /** How the upstream was asked to go on. */
  way: ContinuationWay;
  /** All choices had ended: nothing lacks but the usage. */
  isEnded: boolean;
  /** Tokens that this is made of. */
  usedTokens: number;
  /** Whether the stream is to tell its usage. */
  tellsUsage: boolean;
  /** What the upstream says once more, of each choice. */
  repeated: ReadonlyMap<number, RepeatedText>;
  /** Sequences that end the text. */
  stops: readonly string[];
  /** It goes on with text: thoughts are text that the upstream took for thoughts, or begin anew. */
  refusesThoughts: boolean;
  /** All tokens of the request's limit were said before: only why it ends is left. */
  isSpent: boolean;
}

type Fields = Record<string, unknown>;

/**
 * Makes the events of a stream of (chat) completions that goes on from another one look like those
 * of that one: its id, time and model; the role once; its field for reasoning; places in the text
 * counted from its beginning; tokens of both, with the prompt once.
 */
export class Joiner {
  readonly #options: JoinerOptions;
  readonly #guard: StopGuard;
  readonly #textChars: number;
  readonly #repeats = new Map<number, Repeat>();
  readonly #isClosed: boolean;
  /** The probabilities of text that is held back. */
  #heldLogprobs: Fields | undefined;
  /** Why the upstream's own answer ended. */
  #lastReason: unknown;

  constructor(options: JoinerOptions) {
    this.#options = options;
    const { transcript } = options;
    const { text = "" } = transcript.choices.get(0) ?? {};
    this.#isClosed = transcript.isClosed;
    this.#textChars = text.length - (options.repeated.get(0)?.text.length ?? 0);
    this.#guard = new StopGuard(options.way === "again" ? [] : options.stops, text);
    for (const [index, said] of options.repeated) this.#repeats.set(index, new Repeat(said));
  }

  /** All text was said before. */
  get #saysNothing(): boolean {
    return this.#options.isSpent || this.#options.isEnded || this.#isClosed;
  }

  /** Tokens of the answer so far that stand in the upstream's prompt. */
  get #repeatedTokens(): number {
    const { way, usedTokens } = this.#options;
    return way === "anew" || way === "again" ? 0 : usedTokens;
  }

  /** Tokens that the upstream has not said itself. */
  get #usedTokens(): number {
    return this.#options.way === "again" ? 0 : this.#options.usedTokens;
  }

  /** Of the upstream's own tokens those that are part of the answer, if only as its end. */
  #counted(tokens: number): number {
    if (this.#options.isSpent) return 0;
    if (!this.#options.isEnded) return tokens;
    const isEnd = this.#options.way !== "anew" && this.#lastReason === "stop";
    return isEnd ? tokens : 0;
  }

  /** The text ended with a stop sequence that begins in what was said before. */
  get isStopped(): boolean {
    return this.#guard.isStopped;
  }

  /** The event in the first stream's terms; undefined where it says nothing new. */
  join(event: Fields): Fields | undefined {
    const joined: Fields = { ...event };
    const { head } = this.#options.transcript;
    for (const name of HEAD) if (head[name] !== undefined) joined[name] = head[name];
    const usage = isFields(event.usage) ? this.#usage(event.usage) : undefined;
    if (isFields(event.timings)) joined.timings = this.#timings(event.timings);
    if ("usage" in joined) joined.usage = usage ?? null;
    if (!this.#options.tellsUsage) delete joined.usage;
    const told = Array.isArray(event.choices) ? event.choices.filter(isFields) : [];
    for (const { finish_reason: reason } of told) if (isSaid(reason)) this.#lastReason = reason;
    const given = this.#options.isEnded ? [] : told;
    const choices = given.map((choice) => this.#choice(choice)).filter((one) => one !== undefined);
    joined.choices = choices;
    const says = choices.length > 0 || (usage !== undefined && this.#options.tellsUsage);
    return says ? joined : undefined;
  }

  #choice(choice: Fields): Fields | undefined {
    const index = typeof choice.index === "number" ? choice.index : 0;
    const before = this.#options.transcript.choices.get(index);
    if (before?.isFinished) return undefined;
    const ends = typeof choice.finish_reason === "string" && choice.finish_reason !== "";
    const joined: Fields = { ...choice };
    const isChat = isFields(choice.delta);
    const delta: Fields = isFields(choice.delta) ? { ...choice.delta } : { content: choice.text };
    if (before?.hasRole) delete delta.role;
    const field = before?.reasoningField;
    const other = field === "reasoning" ? "reasoning_content" : "reasoning";
    if (field !== undefined && before?.reasoning !== "" && delta[other]) {
      delta[field] = delta[other];
      delete delta[other];
    }
    const repeat = this.#repeats.get(index);
    const length = charsOf(delta);
    const thinks = isSaid(delta.reasoning_content) || isSaid(delta.reasoning);
    if (thinks && this.#options.refusesThoughts) throw saysOther();
    repeat?.strip(delta);
    if (ends) repeat?.end();
    const stripped = length - charsOf(delta);
    if (typeof delta.content === "string") delta.content = this.#text(delta.content, ends);
    if (this.#saysNothing) for (const name of Object.keys(delta)) delete delta[name];
    const isEnd = ends || this.#guard.isStopped;
    if (isEnd) joined.finish_reason = this.#reason(choice.finish_reason);
    const says = Object.values(delta).some(isSaid);
    const { logprobs } = choice;
    if (isFields(logprobs)) joined.logprobs = this.#logprobs(logprobs, { stripped, says }) ?? null;
    if (!says && !isEnd) return undefined;
    if (isChat) joined.delta = delta;
    else joined.text = delta.content ?? "";
    return joined;
  }

  #text(text: string, ends: boolean): string {
    const sent = this.#guard.push(text);
    return ends && !this.#guard.isStopped ? sent + this.#guard.rest() : sent;
  }

  #reason(given: unknown): unknown {
    if (this.#guard.isStopped) return "stop";
    if (this.#options.isSpent) return "length";
    return this.#isClosed ? "stop" : given;
  }

  /** Those of what the client has are not told again, those of what is held back not yet. */
  #logprobs(given: Fields, { stripped, says }: { stripped: number; says: boolean }) {
    const behind = probabilitiesBehind(given, stripped);
    const isMoved = this.#options.way === "prompt";
    const moved = behind && isMoved ? probabilitiesMoved(behind, this.#textChars) : behind;
    const all =
      moved === undefined ? this.#heldLogprobs : probabilitiesOfBoth(this.#heldLogprobs, moved);
    this.#heldLogprobs = says ? undefined : all;
    return says ? all : undefined;
  }

  #usage(usage: Fields): Fields {
    const usedTokens = this.#usedTokens;
    const prompt = Math.max(0, count(usage.prompt_tokens) - this.#repeatedTokens);
    const completion = usedTokens + this.#counted(count(usage.completion_tokens));
    const { prompt_tokens_details: details } = usage;
    const cached = isFields(details) ? count(details.cached_tokens) : undefined;
    return {
      ...usage,
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      ...(cached === undefined
        ? {}
        : {
            prompt_tokens_details: {
              ...(details as Fields),
              cached_tokens: Math.min(cached, prompt),
            },
          }),
    };
  }

  /** llama.cpp's counts: what was said before is at the end of what it read as the prompt. */
  #timings(timings: Fields): Fields {
    const usedTokens = this.#usedTokens;
    const [read, cached] = [count(timings.prompt_n), count(timings.cache_n)];
    const promptTokens = Math.max(0, read + cached - this.#repeatedTokens);
    const cachedTokens = Math.min(cached, promptTokens);
    return {
      ...timings,
      prompt_n: promptTokens - cachedTokens,
      ...("cache_n" in timings ? { cache_n: cachedTokens } : {}),
      predicted_n: usedTokens + this.#counted(count(timings.predicted_n)),
    };
  }
}

/** Characters of text, thoughts and arguments of calls in a piece. */
function charsOf({ content, reasoning_content, reasoning, tool_calls: calls }: Fields): number {
  const called = Array.isArray(calls) ? calls.map((call) => call?.function?.arguments) : [];
  const texts = [content, reasoning_content, reasoning, ...called];
  return texts.reduce<number>((sum, one) => sum + (typeof one === "string" ? one.length : 0), 0);
}

function count(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
