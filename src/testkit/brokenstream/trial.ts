import { Continuation } from "../../balancer/continuation/continuation.ts";
import { Continuations } from "../../balancer/continuation/continuations.ts";
import { RequestAdapter } from "../../balancer/inference/adapter.ts";
import type { UpstreamRequest } from "../../balancer/inference/body.ts";
import type { RequestContext } from "../../balancer/inference/context.ts";
import { Endpoint } from "../../balancer/upstream/endpoint.ts";
import type { AnswerBody } from "../../http/client/body.ts";
import { CONTENT } from "../../http/proxy/content.ts";
import { Deadlines } from "../../http/proxy/deadlines.ts";
import { type Relayed, relay } from "../../http/proxy/relay.ts";
import { unfinishedStream } from "../../http/proxy/rewrite/streamend.ts";
import { LogBook } from "../../lib/logbook.ts";
import { ApiError, errorFrame } from "../../wire/error.ts";
import { ROUTES, type RouteName } from "../../wire/route.ts";
import { eventFrame } from "../../wire/sse.ts";
import { streamedTalk, type Talk, type TalkRequest, tokensBegunBy } from "../servers/talk.ts";

/** How the stream of one upstream ends early. */
export interface TrialCut {
  /** So many bytes of it come; a part of 1: so much of all. */
  at: number;
  /** Its connection breaks; it ends in good order; an event tells of an error. */
  how: "break" | "end" | "error";
}

export interface Trial {
  talk: Talk;
  /** What the upstreams behind the first one say. Default: the same. */
  others?: Talk;
  route: RouteName;
  body: Record<string, unknown>;
  /** Of one upstream after the other; those behind them send all. */
  cuts: readonly TrialCut[];
  /** Bytes of the pieces in which streams come. Default: all at once. */
  pieceBytes?: number;
}

export interface TrialResult {
  /** What the client gets. */
  text: string;
  /** Bytes of the first upstream's stream, had it not been cut. */
  bytes: number;
  /** What the upstreams were asked. */
  requests: Record<string, unknown>[];
}

const SIGNAL = new AbortController().signal;
const ERROR = { message: "the engine died", code: 500 };

/**
 * Streams that break, in this process: from upstreams that need no server, through all that makes
 * the client's stream of them.
 */
export class BrokenStreams {
  #others: Talk | undefined;
  /** What was said of these, by what was asked. */
  readonly #said = new Map<string, Said>();
  #talk: Talk = { kind: "llama_server", tokens: [] };
  readonly #continuations = new Continuations(
    new LogBook({ level: "silent" }).log,
    async (_, { kind, text }) => {
      const { tokens, thoughts = [] } = this.#talk;
      const counts = kind === "llama_server" || kind === "vllm" || kind === "sglang";
      return counts ? tokensBegunBy(text, [...thoughts, ...tokens]) : undefined;
    },
  );

  /** One after the other: never two at a time. */
  async run(trial: Trial): Promise<TrialResult> {
    if (this.#talk !== trial.talk || this.#others !== trial.others) this.#said.clear();
    this.#talk = trial.talk;
    this.#others = trial.others;
    const context = contextOf(trial);
    const value = { model: "m", stream: true, ...trial.body };
    const bytes = Buffer.from(JSON.stringify(value));
    const adapter = new RequestAdapter(context, { bytes, value, isExact: true });
    const upstreams = [...trial.cuts, undefined].map((_, index) => this.#endpoint(trial, index));
    const continuation = new Continuation(context, this.#continuations);
    const said = this.#said;
    const state = { trial, adapter, upstreams, continuation, requests: [], bytes: 0, said };
    const stream = attempt(state, 0, adapter.requestFor(upstreams[0] as Endpoint));
    const text = await new Response(stream.stream).text();
    continuation.close();
    return { text, bytes: state.bytes, requests: state.requests };
  }

  #endpoint({ talk }: Trial, index: number): Endpoint {
    const name = `e${index}`;
    const endpoint = new Endpoint({ name, url: `http://${name}`, kind: talk.kind });
    const spoken: RouteName[] = [
      "responses",
      "anthropic_messages",
      "ollama_chat",
      "ollama_generate",
    ];
    endpoint.routes = new Set(["generate", ...(talk.speaksAll ? spoken : [])]);
    return endpoint;
  }
}

interface TrialState {
  trial: Trial;
  adapter: RequestAdapter;
  upstreams: Endpoint[];
  continuation: Continuation;
  requests: Record<string, unknown>[];
  bytes: number;
  said: Map<string, Said>;
}

/** A stream as an upstream sends it. */
interface Said {
  bytes: Buffer;
  type: string;
}

function contextOf({ route }: Trial): RequestContext {
  const { path, dialect } = ROUTES[route];
  const names = { model: "m", modelId: "m", requestId: "r" };
  const client = { signal: SIGNAL };
  const asked = { route: ROUTES[route], dialect, pathAndQuery: path, streams: true };
  return { ...names, ...asked, client } as unknown as RequestContext;
}

/** The stream of one upstream, and of those that go on with it. */
function attempt(state: TrialState, index: number, request: UpstreamRequest): Relayed {
  const { trial, continuation, upstreams, requests } = state;
  const upstream = upstreams[index] as Endpoint;
  const body = JSON.parse(Buffer.from(request.body as Uint8Array).toString());
  requests.push(body);
  const { bytes, type } = saidBy(state, index, { path: request.pathAndQuery, body });
  if (index === 0) state.bytes = bytes.byteLength;
  const slot = { upstream };
  const rewrite = continuation.keep({ request, rewrite: request.rewrite, slot })?.stream(type);
  const { dialect } = ROUTES[trial.route];
  return relay(bodyOf(bytes, trial, index), {
    deadlines: new Deadlines("an endpoint", { signal: SIGNAL }),
    ...{ idleTimeoutMs: 60_000, rewrite },
    ...(type.startsWith("text/event-stream") ? CONTENT.events : CONTENT.lines),
    afterBreak: async (cause) =>
      rewrite?.fail?.(errorOf(cause)) ?? Buffer.from(`\n${errorFrame(errorOf(cause), dialect)}`),
    instead: (failure, hasBegun) => goOn(state, index, hasBegun ? failure : undefined),
  });
}

/** What an upstream says to a request, which is the same each time. */
function saidBy(
  { trial, said }: TrialState,
  index: number,
  asked: Pick<TalkRequest, "path" | "body">,
): Said {
  const key = JSON.stringify([index, asked]);
  const known = said.get(key);
  if (known !== undefined) return known;
  const head = { id: `chatcmpl-${index}`, created: 1000 + index, model: `m of ${index}` };
  const talk = index === 0 ? trial.talk : (trial.others ?? trial.talk);
  const { stream, type } = streamedTalk(talk, { ...asked, head });
  const made = { bytes: Buffer.from(stream), type };
  said.set(key, made);
  return made;
}

async function goOn(
  state: TrialState,
  index: number,
  failure: { cause: unknown } | { status: number } | undefined,
): Promise<Relayed | undefined> {
  const { adapter, continuation, upstreams } = state;
  const [broken, next] = [upstreams[index], upstreams[index + 1]];
  if (broken === undefined || next === undefined) return undefined;
  if (failure === undefined) {
    const { isOn } = continuation;
    const request = isOn ? await continuation.requestFor(next) : adapter.requestFor(next);
    return attempt(state, index + 1, request);
  }
  const cause = "cause" in failure ? failure.cause : unfinishedStream();
  if (!continuation.begin(broken, errorOf(cause))) return undefined;
  // A real one would not have been chosen.
  const isAble = continuation.requirement(undefined)?.isMetBy(next, "m");
  return isAble ? attempt(state, index + 1, await continuation.requestFor(next)) : undefined;
}

function errorOf(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  throw cause;
}

/** An upstream's stream as it comes, as far as it does. */
function bodyOf(stream: Buffer, { talk, cuts, pieceBytes }: Trial, index: number): AnswerBody {
  const cut = cuts[index];
  const at = cut === undefined ? stream.length : placeOf(cut, stream.length);
  const sent = stream.subarray(0, at);
  const bytes = cut?.how === "error" ? withError(stream, at, talk) : sent;
  const size = pieceBytes ?? Math.max(1, bytes.length);
  let [start, failure] = [0, undefined as unknown];
  return {
    ended: false,
    read() {
      if (failure !== undefined) throw failure;
      const piece = bytes.subarray(start, start + size);
      start += size;
      if (piece.length > 0) return piece;
      if (cut?.how === "break") throw new ApiError("upstream", "The connection broke.");
      return undefined;
    },
    bytes: () => Promise.reject(new Error("A stream is read piece by piece.")),
    abort: (cause) => {
      failure = cause;
    },
  };
}

/** The whole events of a stream, and one of an error behind them. */
function withError(stream: Buffer, end: number, { lineEnd = "\n" }: Talk): Buffer {
  const sent = stream.subarray(0, end);
  const isLines = stream.at(0) === BRACE;
  const gap = isLines ? lineEnd : lineEnd + lineEnd;
  const at = sent.lastIndexOf(gap);
  const whole = at === -1 ? Buffer.alloc(0) : sent.subarray(0, at + gap.length);
  const error = isLines
    ? JSON.stringify({ error: ERROR.message }) + gap
    : eventFrame({ error: ERROR });
  return Buffer.concat([whole, Buffer.from(error)]);
}

const BRACE = 0x7b;

function placeOf({ at }: TrialCut, bytes: number): number {
  return at < 1 ? Math.floor(at * bytes) : Math.min(at, bytes);
}
