import { overRoute } from "../../translation/overroute.ts";
import { ROUTES, type RouteName } from "../../wire/route.ts";
import { DONE_FRAME, EventReader, eventFrame } from "../../wire/sse.ts";
import { RAW_END, type RawConnection, rawAnswer, rawChunk, rawChunks, rawTarget } from "./tcp.ts";

/**
 * Stand-ins for servers that say the same answer, token by token, and go on with the beginning of
 * it in the way of their kind. Their streams can be cut at any byte.
 */
export interface Talker extends Disposable {
  url: string;
  /** The bodies of the requests for answers that it got. */
  requests: Record<string, unknown>[];
  /** Their paths. */
  paths: string[];
  /** Bytes of the body of its last stream, had it not been cut. */
  streamBytes: number;
}

export interface Cut {
  /** So many bytes of the stream's body are sent. */
  atByte: number;
  /** `error`: an event that tells of one, behind the last whole one. */
  how: "end" | "reset" | "error" | "silence";
}

export type TalkerKind = "llama_server" | "vllm" | "ollama" | "openai_compatible";

export interface TalkerOptions {
  kind: TalkerKind;
  /** The whole answer. */
  tokens: string[];
  /** What it thinks before. Default: nothing. */
  thoughts?: string[];
  /** Says the answer as the arguments of a call of this function. Default: as text. */
  calls?: string;
  /** Takes space away from the end of the answer's beginning. Default: it does not. */
  trims?: boolean;
  /** It speaks the other APIs for chats itself. Default: only those of OpenAI's completions. */
  speaksAll?: boolean;
  /** How the next streams end early, whoever sends them. Each is used once. */
  cuts: Cut[];
}

type Fields = Record<string, unknown>;

/** The prompt's own tokens, whatever it is. */
export const PROMPT_TOKENS = 10;

const FAILED = eventFrame({ error: { message: "the engine died", code: 500 } });
const LISTS: Record<TalkerKind, object> = {
  llama_server: { owned_by: "llamacpp" },
  vllm: { owned_by: "vllm", max_model_len: 4096 },
  ollama: { owned_by: "library" },
  openai_compatible: { owned_by: "somebody" },
};

let talkers = 0;

/** A server of this kind on a free port that has the model `m`. */
export function talker(options: TalkerOptions): Talker {
  talkers += 1;
  const number = talkers;
  const received: string[] = [];
  const target = rawTarget((connection) => {
    const all = (received[connection.index] ?? "") + connection.received;
    const request = requestIn(all);
    received[connection.index] = request === undefined ? all : "";
    if (request !== undefined) answer(connection, request);
  });
  const self: Talker = {
    ...{ url: target.url, requests: [], paths: [], streamBytes: 0 },
    [Symbol.dispose]: () => target[Symbol.dispose](),
  };

  function answer(connection: RawConnection, { path, body }: HttpRequest): void {
    const plain = plainAnswer(options, { path, body });
    if (plain === undefined) sendStream(connection, { path, body });
    else connection.send(plain);
  }

  function sendStream(connection: RawConnection, { path, body }: HttpRequest): void {
    self.requests.push(body);
    self.paths.push(path);
    const head = { id: `chatcmpl-${number}-${self.requests.length}`, created: 1000 + number };
    const asked = { path, body, head: { ...head, model: `m of ${number}` } };
    const { stream, type } = spoken(options, asked);
    self.streamBytes = Buffer.byteLength(stream);
    const cut = options.cuts.shift();
    if (cut === undefined || cut.atByte >= self.streamBytes) {
      connection.send(rawChunks(type, stream) + RAW_END);
      return;
    }
    const bytes = Buffer.from(stream).subarray(0, cut.atByte).toString("latin1");
    const sent = cut.how === "error" ? bytes.slice(0, bytes.lastIndexOf("\n\n") + 2) : bytes;
    const begun = rawChunks(type);
    // Not as UTF-8: half of a character is cut like any other byte. All is ASCII but the answer.
    connection.send(begun + (sent === "" ? "" : rawChunk(sent)));
    if (cut.how === "reset") connection.reset();
    else if (cut.how === "end") connection.end();
    else if (cut.how === "error") connection.send(rawChunk(FAILED) + RAW_END);
  }
  return self;
}

interface HttpRequest {
  path: string;
  body: Fields;
}

/** Undefined as long as it has not come whole. */
function requestIn(text: string): HttpRequest | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  const body = text.slice(end + 4);
  if (Buffer.byteLength(body) < length) return undefined;
  const path = text.split(" ", 2)[1] ?? "";
  return { path, body: body === "" ? {} : (JSON.parse(body) as Fields) };
}

/** Everything but answers. */
function plainAnswer(options: TalkerOptions, { path, body }: HttpRequest) {
  const { kind, tokens, thoughts = [], speaksAll = false } = options;
  if (path === "/v1/models") {
    return rawAnswer(JSON.stringify({ object: "list", data: [{ id: "m", ...LISTS[kind] }] }));
  }
  if (path === "/" && kind === "ollama") return rawAnswer("Ollama is running", "text/plain");
  if (path === "/tokenize" && (kind === "llama_server" || kind === "vllm")) {
    const text = String(body.content ?? body.prompt);
    const count = countOf(text, [...thoughts, ...tokens]);
    return rawAnswer(JSON.stringify({ count, tokens: Array.from({ length: count }, () => 1) }));
  }
  const isChat = path === "/v1/chat/completions" && body.messages !== undefined;
  const isPrompt = path === "/v1/completions" && body.prompt !== undefined;
  const isNative = speaksAll && NATIVE.has(path);
  if (isChat || isPrompt || (isNative && body.model !== undefined)) return undefined;
  const isKnown = isNative || path === "/v1/chat/completions" || path === "/v1/completions";
  return rawAnswer("no", "text/plain", isKnown ? "400 Bad Request" : "404 Not Found");
}

/** How many of these tokens a text that begins as they do is made of. */
function countOf(text: string, tokens: string[]): number {
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

/** The beginning of the answer that stands in the request. */
function begunIn(kind: TalkerKind, { messages, prompt, continue_final_message: asked }: Fields) {
  if (typeof prompt === "string") {
    return { thought: "", text: prompt.slice("Once".length), isRepeated: false };
  }
  const last: Fields = Array.isArray(messages) ? messages.at(-1) : {};
  const goesOn =
    kind === "llama_server" || kind === "ollama" || (kind === "vllm" && asked === true);
  if (last.role !== "assistant" || !goesOn) return { thought: "", text: "", isRepeated: false };
  const thought = kind === "llama_server" ? String(last.reasoning_content ?? "") : "";
  const isRepeated = kind === "llama_server" && asked !== true;
  return { thought, text: String(last.content ?? ""), isRepeated };
}

/** The tokens behind a beginning; "?" where it is none of theirs. */
function restOf(tokens: string[], begun: string): string[] {
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

/** A request, and what is the same in all events of the answer. */
interface Asked extends HttpRequest {
  head: object;
}

const NATIVE = new Map(
  Object.entries(overRoute).map(([name, over]) => [ROUTES[name as RouteName].path, over]),
);

/** A stream in the API that was asked. */
function spoken(options: TalkerOptions, asked: Asked): { stream: string; type: string } {
  const translation = NATIVE.get(asked.path)?.(asked.body);
  const translated = translation?.stream?.();
  const type = translated?.contentType ?? "text/event-stream";
  if (translation === undefined || translated === undefined) {
    return { stream: streamOf(options, asked), type };
  }
  const chat = streamOf(options, { ...asked, path: translation.path, body: translation.body });
  const events = new EventReader().push(Buffer.from(chat));
  const text = events.map((event) => translated.push(event)).join("");
  return { stream: text + translated.end(), type };
}

function streamOf(options: TalkerOptions, { path, body, head }: Asked) {
  const { kind, tokens, thoughts = [], calls, trims = false } = options;
  const begun: Begun = begunIn(kind, body);
  if (trims) begun.text = begun.text.trimEnd();
  const isChat = path.endsWith("/chat/completions");
  const thinks = begun.text === "" && isChat ? restOf(thoughts, begun.thought) : [];
  const says = restOf(tokens, begun.text);
  const limit = Number(body.max_tokens ?? body.max_completion_tokens ?? Number.MAX_SAFE_INTEGER);
  const all = [
    ...thinks.map((text) => ({ reasoning_content: text })),
    ...says.map((text) => (calls === undefined ? { content: text } : callPiece(text))),
  ];
  const said = all.slice(0, limit);
  const end = calls === undefined ? "stop" : "tool_calls";
  const finish = said.length < all.length ? "length" : end;
  const event = (delta: Fields, finish_reason: string | null = null) => {
    const object = isChat ? "chat.completion.chunk" : "text_completion";
    const choice = isChat ? { delta } : { text: delta.content ?? "" };
    const choices = [{ index: 0, ...choice, logprobs: null, finish_reason }];
    return eventFrame({ object, ...head, choices });
  };
  const before = countOf(begun.thought, thoughts) + countOf(begun.text, tokens);
  const prompt = PROMPT_TOKENS + before;
  const usage = {
    ...{ prompt_tokens: prompt, completion_tokens: said.length },
    total_tokens: prompt + said.length,
  };
  const asksUsage = (body.stream_options as Fields | undefined)?.include_usage === true;
  return [
    ...(isChat ? [event({ role: "assistant", content: null })] : []),
    ...(begun.isRepeated ? [event({ content: begun.text })] : []),
    ...(calls === undefined ? [] : [event(callPiece("", { name: calls, ...head }))]),
    ...said.map((delta) => event(delta)),
    event({}, finish),
    ...(asksUsage
      ? [eventFrame({ object: "chat.completion.chunk", ...head, choices: [], usage })]
      : []),
    DONE_FRAME,
  ].join("");
}

/** A piece of a call; the first one has its name, and an id that is the server's own. */
function callPiece(text: string, first?: { name: string; id?: string }): Fields {
  const named = first && { id: `call ${first.id}`, type: "function" };
  const called = { ...(first && { name: first.name }), arguments: text };
  return { tool_calls: [{ index: 0, ...named, function: called }] };
}
