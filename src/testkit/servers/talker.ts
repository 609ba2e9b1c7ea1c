import { eventFrame } from "../../wire/sse.ts";
import { NATIVE, streamedTalk, type Talk, type TalkerKind, tokensBegunBy } from "./talk.ts";
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

export interface TalkerOptions extends Talk {
  /** How the next streams end early, whoever sends them. Each is used once. */
  cuts: Cut[];
}

type Fields = Record<string, unknown>;

const FAILED = eventFrame({ error: { message: "the engine died", code: 500 } });
const LISTS: Record<TalkerKind, object> = {
  llama_server: { owned_by: "llamacpp" },
  vllm: { owned_by: "vllm", max_model_len: 4096 },
  sglang: { owned_by: "sglang", max_model_len: 4096 },
  ollama: { owned_by: "library" },
  openai_compatible: { owned_by: "somebody" },
};

/** Kinds that tell of how many tokens a text is made. */
const TOKENIZERS = new Set<TalkerKind>(["llama_server", "vllm", "sglang"]);

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
    const { stream, type } = streamedTalk(options, asked);
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
  if (path === "/tokenize" && TOKENIZERS.has(kind)) {
    const text = String(body.content ?? body.prompt);
    const count = tokensBegunBy(text, [...thoughts, ...tokens]);
    return rawAnswer(JSON.stringify({ count, tokens: Array.from({ length: count }, () => 1) }));
  }
  const isChat = path === "/v1/chat/completions" && body.messages !== undefined;
  const isPrompt = path === "/v1/completions" && body.prompt !== undefined;
  const isNative = speaksAll && NATIVE.has(path);
  if (isChat || isPrompt || (isNative && body.model !== undefined)) return undefined;
  const isKnown = isNative || path === "/v1/chat/completions" || path === "/v1/completions";
  return rawAnswer("no", "text/plain", isKnown ? "400 Bad Request" : "404 Not Found");
}
