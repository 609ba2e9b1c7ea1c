import type { Settings } from "../../config/settings.ts";
import { type Forwarded, forward, type StreamFailure } from "../../http/proxy/forward.ts";
import type { Hops } from "../../http/proxy/hops.ts";
import { callerOf } from "../../http/server/scope.ts";
import { wholeFromStream } from "../../translation/wholefromstream.ts";
import { ApiError } from "../../wire/error.ts";
import { Continuation, MOVED, mayContinue } from "../continuation/continuation.ts";
import type { Continuations } from "../continuation/continuations.ts";
import { ProviderModel } from "../providers/model.ts";
import type { Providers } from "../providers/providers.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import type { Slot } from "../upstream/upstream.ts";
import { type ClientBody, knownAnswer, type UpstreamRequest } from "./body.ts";
import type { RequestContext } from "./context.ts";
import { Judge } from "./judge.ts";
import type { KeptResponses } from "./keptresponses.ts";
import type { PoolRequest, PoolSlots } from "./poolslots.ts";
import { drop, forwardedOf, type Result } from "./result.ts";
import { FALLBACK_KINDS, RETRIES_MAX, ROUTE_MISSING } from "./retry.ts";
import { answerHeaders } from "./servedby.ts";
import { StreamMove } from "./streammove.ts";

export interface AttemptsParts {
  slots: PoolSlots;
  kept: KeptResponses;
  providers: Providers;
  hops: Hops;
  continuations: Continuations;
  settings: Pick<Settings, "firstByteTimeoutMs" | "idleTimeoutMs" | "servedBy" | "continueStreams">;
}

/**
 * The attempts at one request: the only loop over upstreams. The next upstream is
 *
 * 1. the provider that the client named by its prefix: one attempt;
 * 2. else an endpoint of the pool, until one of them answers, at most 1 + `RETRIES_MAX` of them
 *    and until the request's deadline;
 * 3. else, if nothing came of those, the provider of the operator's fallback rule: one attempt.
 *
 * An attempt ends with its last byte. Before its first content, a failure means the next upstream,
 * even where the headers of a stream and signs of life are out. After that, another endpoint goes
 * on where the stream broke (`Continuation`), or the client's stream ends with an error event.
 */
export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #context: RequestContext;
  readonly #body: ClientBody;
  readonly #poolRequest: PoolRequest;
  readonly #judge: Judge;
  #isPoolDone = false;
  #isFallbackDone = false;
  /** What the request needs of an endpoint, wherever it goes on. */
  readonly #requirement: RequestContext["requirement"];
  /** Of a stream that may go on at another upstream. */
  #continuation: Continuation | undefined;
  /** Moves it away from an endpoint that is drained. */
  #move: StreamMove | undefined;

  constructor(parts: AttemptsParts, context: RequestContext, body: ClientBody) {
    this.#parts = parts;
    this.#context = context;
    this.#judge = new Judge(context);
    this.#body = body;
    this.#isFallbackDone = body.continues;
    this.#poolRequest = { context, fingerprint: undefined, tried: [] };
    if (parts.settings.continueStreams && mayContinue(context)) {
      const continuation = new Continuation(context, parts.continuations);
      this.#continuation = continuation;
      this.#move = new StreamMove({ ...parts, poolRequest: this.#poolRequest, continuation });
    }
    this.#requirement = context.requirement;
  }

  /**
   * The answer of an upstream, whatever its status, with `x-queue-status` and `x-queue-wait-ms` if
   * the request had to wait. Throws why there is none: what `PoolSlots.acquire` refuses with, or
   * how the last attempt failed (`upstream`, `timeout`).
   */
  async run(fingerprint: Float64Array | undefined): Promise<Forwarded> {
    const { provider } = this.#context;
    if (provider !== undefined) return this.#finish(await this.#attempt(this.#slotAt(provider)));
    this.#poolRequest.fingerprint = fingerprint;
    return this.#finish(await this.#tryAll(undefined));
  }

  /** One upstream after the other, from the last result on. */
  async #tryAll(begin: Result | undefined): Promise<Result | undefined> {
    let last = begin;
    let refusal: Result | undefined;
    for (;;) {
      const next = this.#next(last);
      const slot = next instanceof Promise ? await next : next;
      if (slot === undefined) return refusal ?? last;
      if (last?.isRefusal) refusal = last;
      else await drop(last);
      last = await this.#attempt(slot);
      if (last.retry && this.#body.isSendable) continue;
      const isAnswer = "forwarded" in last && last.forwarded.response.ok;
      if (refusal === undefined || isAnswer) return last;
      await drop(last);
      return refusal;
    }
  }

  /** The next slot; undefined: the last result stands. Throws if there is neither. */
  #next(last: Result | undefined): Slot | undefined | Promise<Slot | undefined> {
    const { slots } = this.#parts;
    const moved = this.#move?.take();
    if (moved !== undefined) return moved;
    const isOver = this.#poolRequest.tried.length > RETRIES_MAX;
    if (this.#isPoolDone || (last !== undefined && (isOver || !slots.hasTime(this.#context)))) {
      return this.#fallback();
    }
    const acquired = slots.acquire(this.#poolRequest);
    return acquired instanceof Promise
      ? acquired.then((slot) => this.#slotOr(slot, last))
      : this.#slotOr(acquired, last);
  }

  #slotOr(acquired: Slot | ApiError, last: Result | undefined): Slot | undefined {
    if (!(acquired instanceof ApiError)) return acquired;
    this.#isPoolDone = true;
    if (acquired.kind === "client_closed") throw acquired;
    const mayFallBack = last !== undefined || FALLBACK_KINDS.has(acquired.kind);
    const fallback = mayFallBack && this.#body.isSendable ? this.#fallback() : undefined;
    if (fallback === undefined && last === undefined) throw acquired;
    return fallback;
  }

  #fallback(): Slot | undefined {
    // A request that may be wrong is not worth a provider's price.
    if (this.#isFallbackDone || this.#judge.blame.hasRefusals) return undefined;
    if (this.#context.pin !== undefined) return undefined;
    this.#isFallbackDone = true;
    const model = this.#parts.providers.fallbackOf(this.#context.model);
    return model === undefined ? undefined : this.#slotAt(model);
  }

  #slotAt(upstream: NonNullable<RequestContext["provider"]>): Slot {
    const { dialect, requestId } = this.#context;
    const { firstByteTimeoutMs } = this.#parts.settings;
    return this.#parts.providers.slot({ upstream, firstByteTimeoutMs, dialect, requestId });
  }

  /**
   * Sends the request to one upstream. Settles with how that began; never rejects. A provider that
   * turns out to lack the route is asked once more, in terms of another one.
   */
  async #attempt(slot: Slot): Promise<Result> {
    const { route } = this.#context;
    const { upstream } = slot;
    const first = await this.#send(slot);
    if (!("forwarded" in first) || !ROUTE_MISSING.has(first.forwarded.status)) return first;
    if (!(upstream instanceof ProviderModel) || !upstream.lack(route)) return first;
    const second = await this.#send(this.#slotAt(upstream));
    const isBetter = "forwarded" in second && second.forwarded.status < 400;
    if (!isBetter) upstream.haveAgain(route);
    await drop(isBetter ? first : second);
    return isBetter ? second : first;
  }

  #send(given: Slot): Promise<Result> {
    // What throws cannot be said in any API of this upstream.
    if (this.#continuation?.isOn === true) {
      return this.#continuation.requestFor(given.upstream).then(
        (request) => this.#sendRequest(given, request),
        (error) => this.#judge.failure(given, error),
      );
    }
    let request: UpstreamRequest;
    try {
      request = this.#body.requestFor(given.upstream);
    } catch (error) {
      return Promise.resolve(this.#judge.failure(given, error));
    }
    return this.#sendRequest(given, request);
  }

  #sendRequest(given: Slot, request: UpstreamRequest): Promise<Result> {
    const { scope, headers, requestId, dialect, record, trace, route, streams, lease } =
      this.#context;
    if (request.fixedAnswer !== undefined) {
      const forwarded = knownAnswer(request.fixedAnswer, this.#context);
      return Promise.resolve({ forwarded, retry: false });
    }
    const { hops, kept, settings } = this.#parts;
    const { modelId, model } = this.#context;
    const name = given.upstream.modelName(modelId, model);
    const slot = trace?.attempt(given, name) ?? given;
    const continuation = this.#continuation;
    record?.sent(slot.upstream, continuation?.isOn);
    const found = kept.tap(this.#context, slot.upstream);
    const tap = continuation === undefined ? found : continuation.tapFor(found);
    const rewrite = slot.rewrite(request.rewrite);
    const target = hops.onward(slot.upstream.target(request.pathAndQuery), headers);
    const isText = route.output === "text" && route.form === undefined;
    return forward({
      target: trace?.onward(target) ?? target,
      method: "POST",
      headers,
      body: request.body,
      requestId,
      dialect,
      caller: callerOf(scope),
      answerHeaders: answerHeaders({ slot, name, settings, lease }),
      tap,
      checksAnswer: true,
      rewrite: continuation?.keep({ request, rewrite, slot }) ?? rewrite,
      gather: streams || !isText ? undefined : wholeFromStream,
      firstByteTimeoutMs: slot.firstByteTimeoutMs,
      contentTimeoutMs: slot.contentTimeoutMs,
      idleTimeoutMs: settings.idleTimeoutMs,
      onSent: (end) => slot.sent(end, () => void this.#move?.begin(slot, end)),
      onContent: (status) => {
        record?.began();
        slot.answered(status);
        if (this.#move !== undefined) this.#move.serving = slot;
        this.#judge.blame.answered();
      },
      instead: (failure) => this.#instead(slot, failure),
    }).then(
      (forwarded) => this.#answered(slot, forwarded),
      (error) => this.#judge.failure(slot, error),
    );
  }

  #answered(slot: Slot, forwarded: Forwarded): Result {
    forwarded.sent.then((outcome) => slot.ended(outcome));
    // Only its content tells whether a stream is an answer.
    if (forwarded.awaitsContent) {
      if (this.#continuation !== undefined) forwarded.sent.then(() => this.#close());
      return { forwarded, retry: false };
    }
    const attribution = this.#judge.status(slot, forwarded.status);
    return {
      forwarded,
      retry: this.#judge.mayRetry(attribution),
      isRefusal: attribution === "doubt",
    };
  }

  /**
   * An upstream's stream failed before it had any content: its client has got nothing but signs of
   * life, so another upstream may answer. None does: it ends with an error event.
   */
  async #instead(slot: Slot, failure: StreamFailure): Promise<Forwarded | undefined> {
    if ("error" in failure && failure.hasBegun) return this.#goOn(slot, failure.error);
    const failed =
      "error" in failure
        ? this.#judge.failure(slot, failure.error)
        : {
            error: undefined,
            retry: this.#judge.mayRetry(this.#judge.status(slot, failure.status)),
          };
    const isFinal = !failed.retry || !this.#body.isSendable || this.#context.provider !== undefined;
    const next = isFinal ? undefined : await this.#tryAll(failed).catch(() => undefined);
    const forwarded = forwardedOf(next);
    if (forwarded?.awaitsContent !== true) this.#judge.blame.over();
    return forwarded;
  }

  /** An upstream's stream broke behind its first content: another endpoint may go on with it. */
  async #goOn(slot: Slot, error: ApiError): Promise<Forwarded | undefined> {
    const { upstream } = slot;
    if (!(upstream instanceof Endpoint) || !this.#continuation?.begin(upstream, error))
      return undefined;
    slot.ended(error.code === MOVED ? "stopped" : "failed");
    // A slot that is still waited for, to move it away, is not for a stream that is gone.
    if (this.#move !== undefined) this.#move.serving = undefined;
    const [{ slots, settings }, context] = [this.#parts, this.#context];
    context.record?.attemptFailed(error.code);
    context.deadlineMs = slots.deadlineIn(settings.firstByteTimeoutMs);
    context.requirement = this.#continuation.requirement(this.#requirement);
    this.#poolRequest.tried = [upstream];
    this.#isPoolDone = false;
    this.#isFallbackDone = true;
    const next = forwardedOf(await this.#tryAll({ error, retry: true }).catch(() => undefined));
    if (next?.awaitsContent !== true) this.#parts.continuations.ended("failed");
    return next;
  }

  #close(): void {
    this.#move?.close();
    this.#continuation?.close();
  }

  #finish(last: Result | undefined): Forwarded {
    const isUndecided = last !== undefined && "forwarded" in last && last.forwarded.awaitsContent;
    if (!isUndecided) this.#judge.blame.over();
    if (last === undefined) throw new Error("No attempt was made.");
    if ("error" in last) throw last.error;
    const { forwarded } = last;
    const waitedMs = this.#context.record?.queueMs ?? 0;
    if (waitedMs > 0) {
      forwarded.response.headers.set("x-queue-status", "queued");
      forwarded.response.headers.set("x-queue-wait-ms", String(Math.ceil(waitedMs)));
    }
    return forwarded;
  }
}
