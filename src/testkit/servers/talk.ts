import { overRoute } from "../../translation/overroute.ts";
import { ROUTES, type RouteName } from "../../wire/route.ts";
import { DONE_FRAME, EventReader, eventFrame } from "../../wire/sse.ts";

/** What stand-ins for servers say: the same answer each time, and the rest of a begun one. */

type Fields = Record<string, unknown>;

export type TalkerKind = "llama_server" | "vllm" | "sglang" | "ollama" | "openai_compatible";

export interface Talk {
  kind: TalkerKind;
  /** The whole answer. */
  tokens: string[];
  /** What it thinks before. Default: nothing. */
  thoughts?: string[];
  /** Says the answer as the arguments of a call of this function. Default: as text. */
  calls?: string;
  /** The answers of further choices, which are told in turns. Default: there is one. */
  others?: string[][];
  /** Takes space away from the end of the answer's beginning. Default: it does not. */
  trims?: boolean;
  /** It speaks the other APIs for chats itself. Default: only those of OpenAI's completions. */
  speaksAll?: boolean;
  /** Tokens in one event. Default: 1. */
  perEvent?: number;
  /** Events that say nothing stand between. Default: they do not. */
  hasEmpty?: boolean;
  /** The usage stands in the last event of the choice. Default: behind it. */
  joinsUsage?: boolean;
  /** How its lines end. Default: a line feed. */
  lineEnd?: "\n" | "\r\n";
}

/** A request as a server gets it. */
export interface TalkRequest {
  path: string;
  body: Fields;
  /** What is the same in all events of the answer. */
  head: object;
}

/** The prompt's own tokens, whatever it is. */
export const PROMPT_TOKENS = 10;

export const PROMPT = "Once";

/** The routes that a server has that speaks all APIs for chats. */
export const NATIVE = new Map(
  Object.entries(overRoute).map(([name, over]) => [ROUTES[name as RouteName].path, over]),
);

/** A stream in the API that was asked. */
export function streamedTalk(talk: Talk, asked: TalkRequest): { stream: string; type: string } {
  const translation = NATIVE.get(asked.path)?.(asked.body);
  const translated = translation?.stream?.();
  const type = translated?.contentType ?? "text/event-stream";
  const inner =
    translation === undefined
      ? asked
      : { ...asked, path: translation.path, body: translation.body };
  const chat = frames(talk, inner).join("");
  if (translated === undefined) return { stream: lines(talk, chat), type };
  const events = new EventReader().push(Buffer.from(chat));
  const text = events.map((event) => translated.push(event)).join("");
  return { stream: lines(talk, text + translated.end()), type };
}

function lines({ lineEnd = "\n" }: Talk, text: string): string {
  return lineEnd === "\n" ? text : text.replaceAll("\n", lineEnd);
}

/** How many of these tokens a text that begins as they do is made of. */
export function tokensBegunBy(text: string, tokens: readonly string[]): number {
  let [chars, count] = [0, 0];
  while (chars < text.length && count < tokens.length) {
    chars += tokens[count]?.length ?? 0;
    count += 1;
  }
  return count;
}

interface Begun {
  thought: string;
  text: string;
  /** The answer repeats it. */
  isRepeated: boolean;
}

const NOTHING: Begun = { thought: "", text: "", isRepeated: false };

/** The beginning of the answer that stands in the request, as a server of this kind takes it. */
function begunIn({ kind, trims = false }: Talk, body: Fields): Begun {
  const { messages, prompt, continue_final_message: asked } = body;
  if (typeof prompt === "string") return { ...NOTHING, text: prompt.slice(PROMPT.length) };
  const last: Fields = Array.isArray(messages) ? messages.at(-1) : {};
  const isTold = asked === true;
  const goesOn = kind === "llama_server" || kind === "ollama" || isTold;
  if (last.role !== "assistant" || !goesOn || kind === "openai_compatible") return NOTHING;
  const thought = kind === "llama_server" ? String(last.reasoning_content ?? "") : "";
  const text = String(last.content ?? "");
  const isRepeated = kind === "llama_server" && !isTold;
  return { thought, text: trims ? text.trimEnd() : text, isRepeated };
}

/** The tokens behind a beginning; "?" where it is none of theirs. */
function restOf(tokens: readonly string[], begun: string): string[] {
  const whole = tokens.join("");
  if (!whole.startsWith(begun)) return ["?"];
  const rest: string[] = [];
  let at = 0;
  for (const token of tokens) {
    if (at + token.length > begun.length) rest.push(token.slice(Math.max(0, begun.length - at)));
    at += token.length;
  }
  return rest;
}

interface Said {
  tokens: string[];
  finish: string;
  /** Tokens that were made, those of a stop sequence included. */
  made: number;
}

/** Tokens up to the first stop sequence, of which nothing is said, not even its beginning. */
function untilStop(tokens: readonly string[], stops: readonly string[], finish: string): Said {
  const text = tokens.join("");
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
  if (ends.length === 0) return { tokens: [...tokens], finish, made: tokens.length };
  const end = Math.min(...ends);
  const found = stops.filter((stop) => text.startsWith(stop, end)).map(({ length }) => length);
  const said: string[] = [];
  let at = 0;
  for (const token of tokens) {
    if (at < end) said.push(token.slice(0, end - at));
    at += token.length;
  }
  return {
    tokens: said,
    finish: "stop",
    made: tokensBegunBy(text.slice(0, end + Math.min(...found)), tokens),
  };
}

/** The frames of a stream of (chat) completions. */
function frames(talk: Talk, asked: TalkRequest): string[] {
  const { tokens, thoughts = [], others = [], joinsUsage = false } = talk;
  const { path, body, head } = asked;
  const isChat = path.endsWith("/chat/completions");
  const begun = begunIn(talk, body);
  const all = [tokens, ...others].slice(0, Number(body.n ?? 1));
  const answers = body.echo === true ? all.map((one) => [PROMPT, ...one]) : all;
  const choices = answers.map((one, index) =>
    choiceEvents(talk, asked, { tokens: one, begun, index }),
  );
  const made = choices.reduce((sum, choice) => sum + choice.made, 0);
  const prompt =
    PROMPT_TOKENS + tokensBegunBy(begun.thought, thoughts) + tokensBegunBy(begun.text, tokens);
  const total = prompt + made;
  const usage = { prompt_tokens: prompt, completion_tokens: made, total_tokens: total };
  const asksUsage = (body.stream_options as Fields | undefined)?.include_usage === true;
  const object = isChat ? "chat.completion.chunk" : "text_completion";
  const events = inTurns(choices.map((choice) => choice.events));
  const told: object[] = events.map((choice) => ({ object, ...head, choices: [choice] }));
  const last = told.at(-1);
  if (asksUsage && joinsUsage && last !== undefined) told[told.length - 1] = { ...last, usage };
  if (asksUsage && !joinsUsage) told.push({ object, ...head, choices: [], usage });
  return [...told.map((event) => eventFrame(event)), DONE_FRAME];
}

/** The events of several choices, one of each after the other. */
function inTurns(choices: object[][]): object[] {
  const count = Math.max(...choices.map(({ length }) => length));
  return Array.from({ length: count }, (_, i) => choices.flatMap((one) => one[i] ?? [])).flat();
}

interface ChoiceParts {
  tokens: readonly string[];
  begun: Begun;
  index: number;
}

function choiceEvents(talk: Talk, { path, body, head }: TalkRequest, parts: ChoiceParts) {
  const { thoughts = [], calls, perEvent = 1, hasEmpty = false } = talk;
  const { tokens, begun, index } = parts;
  const isChat = path.endsWith("/chat/completions");
  // Its templates begin thoughts, and the text that it is to go on with is put behind that.
  const misreads = isChat && talk.kind === "sglang" && begun.text !== "" && thoughts.length > 0;
  const thinks = begun.text === "" && isChat ? restOf(thoughts, begun.thought) : [];
  const given = body.max_tokens ?? body.max_completion_tokens;
  const limit = Number(given ?? Number.MAX_SAFE_INTEGER);
  const rest = restOf(tokens, begun.text);
  const says = rest.slice(0, Math.max(0, limit - thinks.length));
  const end = calls === undefined ? "stop" : "tool_calls";
  const isCut = thinks.length + rest.length >= limit;
  const stops = [body.stop ?? []].flat().map(String);
  const said = untilStop(says, calls === undefined ? stops : [], isCut ? "length" : end);
  let chars = 0;
  const event = (delta: Fields, finish: string | null = null, made: string[] = []) => {
    const choice = isChat ? { delta } : { text: delta.content ?? "" };
    const logprobs = body.logprobs ? probabilities(made, isChat ? undefined : chars) : null;
    chars += made.join("").length;
    return { index, ...choice, logprobs, finish_reason: finish };
  };
  const pieces = (all: string[], say: (text: string) => Fields) =>
    inGroups(all, perEvent).flatMap((group) => [
      ...(hasEmpty ? [event({ content: "" })] : []),
      event(say(group.join("")), null, group),
    ]);
  const events = [
    ...(isChat ? [event({ role: "assistant", content: null })] : []),
    ...(begun.isRepeated ? [event({ content: begun.text })] : []),
    ...pieces(thinks.slice(0, limit), (text) => ({ reasoning_content: text })),
    ...(calls === undefined ? [] : [event(callPiece("", { name: calls, index, ...head }))]),
    ...pieces(said.tokens, (content) => {
      if (misreads) return { reasoning_content: content };
      return calls === undefined ? { content } : callPiece(content);
    }),
    event({}, said.finish),
  ];
  return { events, made: Math.min(limit, thinks.length) + said.made };
}

function inGroups(all: string[], size: number): string[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** The probabilities of tokens, as chats tell them, or completions: with places in the text. */
function probabilities(tokens: string[], offset: number | undefined): object | null {
  if (tokens.length === 0) return null;
  const one = (token: string) => -token.length / 8;
  if (offset === undefined) {
    return { content: tokens.map((token) => ({ token, logprob: one(token), top_logprobs: [] })) };
  }
  const offsets = tokens.map((_, i) => offset + tokens.slice(0, i).join("").length);
  const all = { tokens, token_logprobs: tokens.map(one), text_offset: offsets };
  return { ...all, top_logprobs: tokens.map((token) => ({ [token]: one(token) })) };
}

/** A piece of a call; the first one has its name, and an id that is the server's own. */
function callPiece(text: string, first?: { name: string; index: number; id?: string }): Fields {
  const named = first && { id: `call ${first.id} ${first.index}`, type: "function" };
  const called = { ...(first && { name: first.name }), arguments: text };
  return { tool_calls: [{ index: 0, ...named, function: called }] };
}
