import type { Settings } from "../../config/settings.ts";
import { type Forwarded, forward, type StreamFailure } from "../../http/proxy/forward.ts";
import type { Hops } from "../../http/proxy/hops.ts";
import { callerOf } from "../../http/server/scope.ts";
import { wholeFromStream } from "../../translation/wholefromstream.ts";
import type { ApiError } from "../../wire/error.ts";
import { ENDPOINT_DRAINED } from "../../wire/history.ts";
import { Continuation, mayContinue } from "../continuation/continuation.ts";
import type { Continuations } from "../continuation/continuations.ts";
import { ProviderModel } from "../providers/model.ts";
import { Endpoint } from "../upstream/endpoint.ts";
import type { Slot } from "../upstream/upstream.ts";
import { type ClientBody, knownAnswer, type UpstreamRequest } from "./body.ts";
import type { RequestContext } from "./context.ts";
import { Judge } from "./judge.ts";
import type { KeptResponses } from "./keptresponses.ts";
import { NextSlot, type NextSlotParts } from "./nextslot.ts";
import { drop, forwardedOf, type Result } from "./result.ts";
import { ROUTE_MISSING } from "./retry.ts";
import { answerHeaders } from "./servedby.ts";
import { StreamMove } from "./streammove.ts";

export interface AttemptsParts extends NextSlotParts {
  kept: KeptResponses;
  hops: Hops;
  continuations: Continuations;
  settings: NextSlotParts["settings"] &
    Pick<Settings, "idleTimeoutMs" | "servedBy" | "continueStreams">;
}

/**
 * The attempts at one request: the only loop over upstreams. The provider that the client named by
 * its prefix has one attempt; without one, `NextSlot` says which upstream is next, until one of
 * them answers.
 *
 * An attempt ends with its last byte. Before its first content, a failure means the next upstream,
 * even where the headers of a stream and signs of life are out. After that, another endpoint goes
 * on where the stream broke (`Continuation`), or the client's stream ends with an error event.
 */
export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #context: RequestContext;
  readonly #body: ClientBody;
  readonly #judge: Judge;
  readonly #nextSlot: NextSlot;
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
    this.#nextSlot = new NextSlot(parts, { context, body, blame: this.#judge.blame });
    if (parts.settings.continueStreams && mayContinue(context)) {
      const continuation = new Continuation(context, parts.continuations);
      this.#continuation = continuation;
      const { poolRequest } = this.#nextSlot;
      this.#move = new StreamMove({ ...parts, poolRequest, continuation });
      this.#nextSlot.move = this.#move;
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
    const nextSlot = this.#nextSlot;
    if (provider !== undefined) return this.#finish(await this.#attempt(nextSlot.at(provider)));
    nextSlot.poolRequest.fingerprint = fingerprint;
    return this.#finish(await this.#tryAll(undefined));
  }

  /** One upstream after the other, from the last result on. */
  async #tryAll(begin: Result | undefined): Promise<Result | undefined> {
    let last = begin;
    let refusal: Result | undefined;
    for (;;) {
      const next = this.#nextSlot.after(last);
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
    const second = await this.#send(this.#nextSlot.at(upstream));
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
        if (continuation?.isOn) record?.wentOn();
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
            status: failure.status,
            retry: this.#judge.mayRetry(this.#judge.status(slot, failure.status)),
          };
    return this.#another(failed);
  }

  /** An upstream's stream broke behind its first content: another endpoint may go on with it. */
  async #goOn(slot: Slot, error: ApiError): Promise<Forwarded | undefined> {
    const { upstream } = slot;
    if (!(upstream instanceof Endpoint) || !this.#continuation?.begin(upstream, error))
      return undefined;
    slot.ended(error.code === ENDPOINT_DRAINED ? "stopped" : "failed");
    // A slot that is still waited for, to move it away, is not for a stream that is gone.
    if (this.#move !== undefined) this.#move.serving = undefined;
    const context = this.#context;
    context.record?.attemptBroke(error.code, this.#continuation.tokens);
    context.requirement = this.#continuation.requirement(this.#requirement);
    const continuation = this.#continuation;
    this.#nextSlot.goOn(upstream, (model) => continuation.canGoOnAt(model));
    const next = await this.#another({ error, retry: true });
    if (error.code === ENDPOINT_DRAINED && next?.awaitsContent === true) upstream.movedStreams += 1;
    return next;
  }

  /** What takes the place of a stream that failed, or goes on with it; undefined: nothing does. */
  async #another(failed: Result): Promise<Forwarded | undefined> {
    const { provider, client } = this.#context;
    const isFinal = !failed.retry || !this.#body.isSendable || provider !== undefined;
    const next = isFinal ? undefined : await this.#tryAll(failed).catch(() => undefined);
    const forwarded = forwardedOf(next);
    if (forwarded?.awaitsContent === true) return forwarded;
    this.#judge.blame.over();
    const { isOn = false } = this.#continuation ?? {};
    if (isOn && !client.signal.aborted) this.#parts.continuations.ended("failed");
    return forwarded;
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
