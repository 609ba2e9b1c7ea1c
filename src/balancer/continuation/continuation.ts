import type { Tap } from "../../http/proxy/relay.ts";
import type { Rewrite } from "../../http/proxy/rewrite/rewrite.ts";
import type { ApiError } from "../../wire/error.ts";
import { ENDPOINT_DRAINED } from "../../wire/history.ts";
import { ROUTES } from "../../wire/route.ts";
import type { UpstreamRequest } from "../inference/body.ts";
import type { RequestContext } from "../inference/context.ts";
import { ProviderModel } from "../providers/model.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import type { Slot, Upstream } from "../upstream/upstream.ts";
import { cloudRequest } from "./cloudrequest.ts";
import { ContinuableRewrite } from "./continuablestream.ts";
import type { Continuations } from "./continuations.ts";
import { type BrokenStream, type ContinuingKind, continuationWay, hasEnded } from "./decision.ts";
import { chatRequestOf, type FirstRequest, translationOf } from "./firstrequest.ts";
import { Headway, tokensOf } from "./headway.ts";
import { JoinedStream, joinedRewrite } from "./joinedstream.ts";
import { Joiner } from "./joiner.ts";
import { StreamRecorder } from "./recorder.ts";
import { Replay } from "./replay.ts";
import { continuedRequest } from "./request.ts";
import { movingRequirementOf, requirementOf } from "./requirement.ts";
import { prefillOf, refusesThoughts, repeatedBy, toldOf } from "./saidagain.ts";
import { BREAK_KINDS } from "./streamerror.ts";
import { streamFormatOf } from "./streamformat.ts";
import { isFields, type Transcript } from "./transcript.ts";

/** An attempt whose stream may have to go on elsewhere. */
interface KeptAttempt {
  request: UpstreamRequest;
  /** What is made of its answer. */
  rewrite: Rewrite | undefined;
  slot: Pick<Slot, "upstream">;
}

/**
 * One stream that may go on at other upstreams: what the client was sent of it, and how the next
 * one is asked for the rest.
 */
export class Continuation {
  readonly #context: Pick<RequestContext, "client" | "modelId" | "model" | "requestId">;
  readonly #all: Continuations;
  #brokeAtMs = 0;
  /** The name of the endpoint that broke. */
  #from = "";
  #tap: Tap | undefined;
  readonly #recorder: StreamRecorder;
  #first: FirstRequest | undefined;
  /** The first request in terms of (chat) completions, once somebody wanted to know. */
  #asked: Record<string, unknown> | undefined;
  #rewrite: ContinuableRewrite | undefined;
  #broken: BrokenStream | undefined;
  /** Text at the answer's beginning that stands in the request. */
  #prefill = "";
  readonly #headway = new Headway();

  constructor(
    context: Pick<RequestContext, "client" | "modelId" | "model" | "requestId">,
    all: Continuations,
  ) {
    this.#context = context;
    this.#all = all;
    this.#recorder = new StreamRecorder(all.memory);
  }

  /** It broke, and goes on. */
  get isOn(): boolean {
    return this.#broken !== undefined;
  }

  /** About how many tokens it had when it broke. */
  get tokens(): number {
    return this.#broken === undefined ? 0 : tokensOf(this.#broken.transcript);
  }

  /**
   * What sees the bytes of an upstream: `tap`, but of a stream only what goes to the client, as if
   * one upstream had made all of it.
   */
  tapFor(tap: Tap | undefined): Tap | undefined {
    if (this.isOn) return undefined;
    this.#tap = tap;
    const push = (bytes: Uint8Array) => {
      if (this.#rewrite?.begun === undefined) tap?.push(bytes);
    };
    return tap === undefined ? undefined : { push };
  }

  /** The rewrite of an upstream's answer by which its stream is kept in mind. */
  keep({ request, rewrite, slot }: KeptAttempt): Rewrite | undefined {
    if (this.isOn) return rewrite;
    const { upstream } = slot;
    const format = streamFormatOf(request.pathAndQuery);
    this.#rewrite = undefined;
    if (rewrite === undefined || format === undefined || !(upstream instanceof Endpoint)) {
      return rewrite;
    }
    this.#first = { request, upstream, format };
    this.#asked = undefined;
    this.#recorder.format = format;
    const wantsMore = (isEnding: boolean) => this.#wantsMore(isEnding);
    const isUnfinished = () => this.#hasEnded() === false;
    const parts = { recorder: this.#recorder, tap: this.#tap, wantsMore, isUnfinished };
    this.#rewrite = new ContinuableRewrite(rewrite, parts);
    return this.#rewrite;
  }

  /** Whether an answer that has ended, or is about to, lacks the usage that was asked for. */
  #wantsMore(isEnding: boolean): boolean {
    const body = this.#askedBody();
    if (body === undefined || !asksUsage(body)) return false;
    const transcript = this.#recorder.read();
    const isEnded = isEnding || this.#hasEnded() === true;
    return isEnded && transcript?.hasUsage === false;
  }

  /** Whether all choices have ended; undefined: nobody knows. */
  #hasEnded(): boolean | undefined {
    const transcript = this.#recorder.read();
    return transcript && hasEnded({ body: this.#askedBody() ?? {}, transcript });
  }

  #askedBody(): Record<string, unknown> | undefined {
    if (this.#broken !== undefined) return this.#broken.body;
    if (this.#first !== undefined) this.#asked ??= chatRequestOf(this.#first);
    return this.#asked;
  }

  /** Whether the stream of an upstream, which broke, goes on if there is another one for it. */
  begin(upstream: Upstream, error: ApiError): boolean {
    if (error.kind === "client_closed") return false;
    if (!this.#begin(error)) {
      // One that went on before ends because it broke too often.
      this.#all.ended(this.isOn ? "failed" : "impossible");
      return false;
    }
    this.#brokeAtMs = performance.now();
    this.#from = upstream.name;
    return true;
  }

  /**
   * What an endpoint must have to go on with a stream as it is now, which has not broken; undefined
   * if nobody can without saying it again, and who says it again may say it otherwise.
   */
  movingRequirement(own: Requirement<Endpoint> | undefined): Requirement<Endpoint> | undefined {
    const state = this.#state();
    if (state === undefined) return undefined;
    const { broken } = state;
    return hasEnded(broken) ? undefined : movingRequirementOf(broken, own);
  }

  #begin(error: ApiError): boolean {
    const state = BREAK_KINDS.has(error.kind) ? this.#state() : undefined;
    if (state === undefined) return false;
    const { broken, prefill } = state;
    if (error.code !== ENDPOINT_DRAINED) {
      if (!this.#headway.mayGoOn(broken.transcript)) return false;
      this.#headway.note(broken.transcript);
    }
    this.#prefill = prefill;
    this.#broken = broken;
    return true;
  }

  /** The stream as it is now; undefined if nobody can go on with it. */
  #state(): { broken: BrokenStream; prefill: string } | undefined {
    const stream = this.#rewrite?.begun;
    const first = this.#first;
    const transcript = this.#recorder.read();
    if (stream === undefined || first === undefined || stream.isTorn) return undefined;
    const body = this.#askedBody();
    if (transcript === undefined || body === undefined) return undefined;
    const prefill = prefillOf(first, body, transcript);
    const format = first.format === "generate" ? "generate" : "chat";
    return prefill === undefined ? undefined : { broken: { format, body, transcript }, prefill };
  }

  /** What an endpoint must have to go on, besides what the request needs. */
  requirement(own: Requirement<Endpoint> | undefined): Requirement<Endpoint> | undefined {
    return this.#broken === undefined ? own : requirementOf(this.#broken, own);
  }

  /** Whether a cloud's model can go on with it. */
  canGoOnAt(model: ProviderModel): boolean {
    return this.#broken !== undefined && continuationWay(this.#broken, kindOf(model)) !== undefined;
  }

  /** What an upstream is asked to go on. Rejects if it cannot be asked. */
  async requestFor(upstream: Upstream): Promise<UpstreamRequest> {
    const broken = this.#broken;
    const stream = this.#rewrite?.begun;
    const kind = kindOf(upstream);
    const way = broken === undefined ? undefined : continuationWay(broken, kind);
    if (broken === undefined || stream === undefined || way === undefined) {
      throw new Error(`${upstream.name} cannot go on with a stream.`);
    }
    const { modelId, model: asked, client } = this.#context;
    const model = upstream.modelName(modelId, asked);
    const { transcript, body: given } = broken;
    const choice = transcript.choice(0);
    const repeated = repeatedBy(way, kind, transcript);
    const told = toldOf(choice, repeated.get(0));
    const text = told.reasoning + told.text;
    const { signal } = client;
    const counted = await this.#all.tokensOf(upstream, { kind, model, text, signal });
    const isCut = text.length < choice.reasoning.length + choice.text.length;
    const usedTokens = Math.max(choice.tokensMin - (isCut ? choice.endTokens : 0), counted ?? 0);
    const prefill = this.#prefill;
    const isLlmlb = kind === "llmlb";
    const options = { stream: broken, way, model, usedTokens, prefill, told, isLlmlb };
    const { body, isSpent } = continuedRequest(options);
    const tellsUsage = asksUsage(given);
    const isCloud = upstream instanceof ProviderModel;
    const notice = isCloud ? upstream.priceName : undefined;
    const onText = () => this.#wentOn(upstream, usedTokens);
    const begin = () => {
      const stops = stopsOf(given);
      const isEnded = hasEnded(broken);
      const joined = {
        ...{ transcript, way, usedTokens, tellsUsage, stops, isSpent, repeated },
        ...{ isEnded, refusesThoughts: refusesThoughts(way, kind) },
      };
      const replay = this.#replay(transcript);
      return new JoinedStream({ joiner: new Joiner(joined), replay, stream, onText, notice });
    };
    if (isCloud) {
      const { requestId } = this.#context;
      return cloudRequest({ upstream, format: broken.format, body, requestId, begin });
    }
    const { path } = ROUTES[broken.format];
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return { pathAndQuery: path, body: bytes, rewrite: joinedRewrite(begin) };
  }

  #wentOn({ name: endpoint }: Upstream, tokens: number): void {
    const { requestId, modelId: model } = this.#context;
    const tookMs = performance.now() - this.#brokeAtMs;
    this.#all.wentOn({ requestId, model, from: this.#from, endpoint, tokens, tookMs });
  }

  #replay(transcript: Transcript): Replay | undefined {
    const translation = this.#first && translationOf(this.#first);
    const stream = translation?.stream?.();
    if (this.#first === undefined || stream === undefined) return undefined;
    return new Replay({ format: this.#first.format, transcript, stream });
  }

  /** Lets go of what it keeps in mind. Idempotent. */
  close(): void {
    this.#recorder.close();
  }
}

/** The header by which a client says `off`: its stream ends where its upstream breaks. */
const CONTINUE_HEADER = "x-llmlb-continue";

/** Whether a request may go on at another upstream than the one that began its answer. */
export function mayContinue({ streams, pin, headers }: RequestContext): boolean {
  return streams && pin === undefined && headers.get(CONTINUE_HEADER)?.toLowerCase() !== "off";
}

function kindOf(upstream: Upstream): ContinuingKind {
  if (upstream instanceof Endpoint) return upstream.facts.kind;
  return upstream instanceof ProviderModel && upstream.takesPrefill ? "cloud_prefill" : "cloud";
}

function asksUsage({ stream_options: options }: Record<string, unknown>): boolean {
  return isFields(options) && options.include_usage === true;
}

function stopsOf({ stop }: Record<string, unknown>): string[] {
  const all = Array.isArray(stop) ? stop : [stop];
  return all.filter((one) => typeof one === "string" && one !== "");
}
