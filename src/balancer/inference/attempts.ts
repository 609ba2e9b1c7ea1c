import type { Settings } from "../../config/settings.ts";
import { type Forwarded, type ForwardOptions, forward } from "../../http/proxy/forward.ts";
import type { SendOutcome } from "../../http/proxy/relay.ts";
import type { Logger } from "../../lib/log.ts";
import { ApiError } from "../../wire/error.ts";
import type { Monitor } from "../health/monitor.ts";
import type { RequestRecord as RecordEntry } from "../record/record.ts";
import type { AvailabilityWaiters } from "../routing/availability.ts";
import type { AcquireResult, Gate } from "../routing/gate.ts";
import type { Grant } from "../routing/grant.ts";
import { isOpen } from "../routing/selection.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import type { Call } from "./call.ts";
import {
  clientLeft,
  closing,
  modelNotFound,
  noEndpoint,
  queueFull,
  queueTimeout,
} from "./errors.ts";
import { isFailure, mayRetry, RETRIES_MAX, tryLimitMs } from "./retry.ts";
import type { Question } from "./sender.ts";

/** What depends on the endpoint. */
type Chosen = "target" | "body" | "rewrite";

/** One inference request on its way to an endpoint. */
export type Dispatched = Omit<
  ForwardOptions,
  Chosen | "firstByteTimeoutMs" | "idleTimeoutMs" | "explain" | "tap"
> & {
  /** As the pool lists it. */
  model: string;
  /** What it needs of an endpoint besides the model. */
  need?: Requirement<Endpoint> | undefined;
  question: Pick<Question, "need" | "callTo" | "fingerprint" | "sendable">;
  /** Whose request it is; clients share the slots evenly. */
  client: string;
  /** The client wants the answer as a stream of events. */
  streams: boolean;
  /** Takes note of where it goes. */
  record: RecordEntry;
};

export interface DispatcherOptions {
  pool: UpstreamPool;
  gate: Gate<Endpoint>;
  monitor: Monitor;
  availability: AvailabilityWaiters;
  settings: Settings;
  log: Logger;
  /** What to tell of a model that no endpoint lists, if it is known all the same. Default: no. */
  absence?(model: string): ApiError | undefined;
}

/** How a try went, and whether another endpoint may do better. */
type Outcome = ({ forwarded: Forwarded } | { error: unknown }) & { retry: boolean };

type Refused = Exclude<AcquireResult<Endpoint>, { kind: "granted" }>;

/** A request on its way: what came with it and what became of it so far. */
interface Journey {
  request: Dispatched;
  /** By then an answer has begun. */
  deadlineMs: number;
  /** Endpoints that failed it. */
  tried: Endpoint[];
  /** Time in queues. */
  waitedMs: number;
}

/** Brings requests to endpoints: waits for a slot, sends, and tries others while nothing came. */
export class Dispatcher {
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Returns an endpoint's answer as it is, whatever its status, with `x-queue-status` and
   * `x-queue-wait-ms` if it had to wait. Throws `model_not_found`, `no_endpoint`, `queue_full`,
   * `queue_timeout`, or how the last endpoint failed (`upstream`, `timeout`).
   *
   * All of it, waiting included, takes at most the first-byte timeout.
   */
  async dispatch(request: Dispatched): Promise<Forwarded> {
    const deadlineMs = this.#options.gate.now() + this.#options.settings.firstByteTimeoutMs;
    const journey: Journey = { request, deadlineMs, tried: [], waitedMs: 0 };
    let last: Outcome | undefined;
    for (;;) {
      const entered = this.#enter(journey, false);
      let entry = entered instanceof Promise ? await entered : entered;
      if (entry.kind === "unavailable") entry = await this.#enterLater(journey);
      if (entry.kind !== "granted") {
        if (last === undefined || entry.kind === "aborted") throw this.#refusal(entry, journey);
        return result(last, journey);
      }
      if (last !== undefined && "forwarded" in last) await last.forwarded.response.body?.cancel();
      last = await this.#try(entry.grant, journey);
      const over = journey.tried.length > RETRIES_MAX || this.#options.gate.now() >= deadlineMs;
      if (!last.retry || over || !request.question.sendable) return result(last, journey);
    }
  }

  #enter(
    journey: Journey,
    expected: boolean,
  ): AcquireResult<Endpoint> | Promise<AcquireResult<Endpoint>> {
    const { gate } = this.#options;
    const { request, deadlineMs, tried } = journey;
    const { model, need, client, caller, question } = request;
    const { fingerprint } = question;
    const startedAtMs = gate.now();
    const wait = {
      timeoutMs: Math.max(0, deadlineMs - startedAtMs),
      // Bun makes it when it is asked for, and only those who wait ask.
      get signal() {
        return caller.signal;
      },
    };
    const entered = gate.acquire({ model, need, client, fingerprint, expected, tried }, wait);
    if (!(entered instanceof Promise)) return entered;
    return entered.finally(() => {
      const waitedMs = gate.now() - startedAtMs;
      journey.waitedMs += waitedMs;
      request.record.waited(waitedMs);
    });
  }

  /** Nothing can take the request now: waits for what is about to. */
  async #enterLater(journey: Journey): Promise<AcquireResult<Endpoint>> {
    const { pool, gate, monitor, availability } = this.#options;
    const { request, deadlineMs, tried } = journey;
    const { model, need, caller } = request;
    const isAwaited = () => {
      const there = pool.serving(model).filter(({ health }) => health.status !== "offline");
      if (there.length === 0) return monitor.pending;
      // Who answers the request's route is not known before they were asked.
      return need !== undefined && there.some(({ asking }) => asking);
    };
    while (tried.length === 0 && isAwaited()) {
      const timeoutMs = Math.max(0, deadlineMs - gate.now());
      const outcome = await availability.next({ timeoutMs, signal: caller.signal });
      if (outcome === "aborted") return { kind: "aborted" };
      if (outcome === "capacity_exceeded") return { kind: "rejected" };
      if (outcome === "timeout") break;
    }
    const nowMs = gate.now();
    const mayCome = (endpoint: Endpoint) => {
      const { status } = endpoint.health;
      if (tried.includes(endpoint)) return false;
      return status === "pending" || (status === "online" && !isOpen(endpoint, nowMs));
    };
    return this.#enter(journey, pool.serving(model).some(mayCome));
  }

  #refusal({ kind }: Refused, { request, waitedMs }: Journey): ApiError {
    const { model } = request;
    switch (kind) {
      case "rejected":
        return queueFull(model);
      case "timeout":
        return queueTimeout(model, waitedMs);
      case "aborted":
        return clientLeft();
      case "closed":
        return closing();
      case "unavailable": {
        // What its endpoints can do may have become known while it waited: then it is refused.
        request.question.need();
        const { pool, absence = () => undefined } = this.#options;
        const { endpoints } = pool;
        if (pool.serving(model).length > 0) return noEndpoint(model, endpoints.length);
        const unasked = endpoints.every((one) => one.models === undefined);
        const otherwise = unasked ? noEndpoint(model, endpoints.length) : modelNotFound(model);
        return absence(model) ?? otherwise;
      }
    }
  }

  /** Sends the request to one endpoint. Settles with how that went; never rejects. */
  #try(grant: Grant<Endpoint>, journey: Journey): Promise<Outcome> {
    const { settings, gate } = this.#options;
    const { request } = journey;
    const sentAtMs = gate.now();
    const firstByteTimeoutMs = this.#limitMs(grant.endpoint, journey, sentAtMs);
    journey.tried.push(grant.endpoint);
    request.record.sent(grant.endpoint);
    const { idleTimeoutMs } = settings;
    let call: Call;
    try {
      call = request.question.callTo(grant.endpoint);
    } catch (error) {
      // It cannot be said in the API of this endpoint.
      return Promise.resolve(this.#failed({ grant, request, sentAtMs }, error));
    }
    const { pathAndQuery, body, rewrite } = call;
    const target = grant.endpoint.target(pathAndQuery);
    const { method, headers, requestId, dialect, caller, record: tap } = request;
    return forward({
      target,
      method,
      headers,
      body,
      requestId,
      dialect,
      caller,
      tap,
      rewrite,
      firstByteTimeoutMs,
      idleTimeoutMs,
    }).then(
      (forwarded) => this.#answered({ grant, request, sentAtMs }, forwarded),
      (error) => this.#failed({ grant, request, sentAtMs }, error),
    );
  }

  #limitMs(endpoint: Endpoint, { request, tried, deadlineMs }: Journey, nowMs: number): number {
    let triesLeft = 0;
    for (const other of this.#options.pool.serving(request.model)) {
      if (tried.length + triesLeft === RETRIES_MAX) break;
      if (other !== endpoint && !tried.includes(other) && isOpen(other, nowMs)) triesLeft += 1;
    }
    const leftMs = Math.max(1, deadlineMs - nowMs);
    const { tryTimeoutMs } = this.#options.settings;
    const limitMs = tryLimitMs({ leftMs, tryTimeoutMs, triesLeft });
    return Math.min(limitMs, endpoint.facts.inferenceTimeoutMs);
  }

  #answered(sent: Sent, forwarded: Forwarded): Outcome {
    const { grant, request, sentAtMs } = sent;
    const { status } = forwarded.response;
    const nowMs = this.#options.gate.now();
    if (isFailure(status)) grant.failed(nowMs);
    else if (status < 300) grant.answered(nowMs, nowMs - sentAtMs);
    else grant.answered(nowMs);
    const retry = mayRetry({ status, streams: request.streams });
    if (retry) {
      this.#options.log.warn({ ...fieldsOf(sent), status }, "endpoint.refused");
      // Its slot is free from now on, whether the answer is used in the end or not.
      grant.finish({ success: false, nowMs, latencyMs: nowMs - sentAtMs });
    }
    forwarded.sent.then((outcome) => this.#ended(sent, outcome, status));
    return { forwarded, retry };
  }

  /** The last byte is sent: the slot is free. */
  #ended(sent: Sent, outcome: SendOutcome, status: number): void {
    const { gate, log, monitor } = this.#options;
    const { grant, sentAtMs } = sent;
    const nowMs = gate.now();
    if (outcome === "cancelled") {
      grant.cancel(nowMs);
      return;
    }
    if (outcome === "failed") {
      log.warn(fieldsOf(sent), "stream.broke");
      grant.failed(nowMs);
      monitor.requestBroke(grant.endpoint);
    }
    const success = outcome === "complete" && status < 400;
    grant.finish({ success, nowMs, latencyMs: nowMs - sentAtMs });
  }

  #failed(sent: Sent, error: unknown): Outcome {
    const { gate, log, monitor } = this.#options;
    const { grant, sentAtMs } = sent;
    const nowMs = gate.now();
    const retry = error instanceof ApiError && mayRetry({ error: error.kind });
    if (!retry) {
      grant.cancel(nowMs);
      return { error, retry };
    }
    log.warn({ ...fieldsOf(sent), err: error, cause: error.cause }, "endpoint.failed");
    grant.failed(nowMs);
    grant.finish({ success: false, nowMs, latencyMs: nowMs - sentAtMs });
    monitor.requestBroke(grant.endpoint);
    return { error, retry };
  }
}

/** One try, as it was sent. */
interface Sent {
  grant: Grant<Endpoint>;
  request: Dispatched;
  sentAtMs: number;
}

function fieldsOf({ grant, request }: Sent) {
  return { request_id: request.requestId, endpoint: grant.endpoint.name, model: request.model };
}

function result(outcome: Outcome, { waitedMs }: Journey): Forwarded {
  if ("error" in outcome) throw outcome.error;
  const { forwarded } = outcome;
  if (waitedMs > 0) {
    forwarded.response.headers.set("x-queue-status", "queued");
    forwarded.response.headers.set("x-queue-wait-ms", String(Math.ceil(waitedMs)));
  }
  return forwarded;
}
