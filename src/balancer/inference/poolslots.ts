import type { Settings } from "../../config/settings.ts";
import type { ApiError } from "../../wire/error.ts";
import type { Monitor } from "../health/monitor.ts";
import type { AvailabilityWaiters } from "../routing/availability.ts";
import type { AcquireResult, SlotGate } from "../routing/gate.ts";
import type { Grant } from "../routing/grant.ts";
import { isOpen } from "../routing/selection.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { EndpointSlot, type EndpointSlotParts } from "../upstream/endpointslot.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import type { RequestContext } from "./context.ts";
import {
  clientLeft,
  closing,
  modelNotFound,
  noEndpoint,
  queueFull,
  queueTimeout,
} from "./errors.ts";
import { pinUnavailable } from "./pin.ts";
import type { Requirements } from "./requirements.ts";
import { attemptLimitMs, RETRIES_MAX } from "./retry.ts";

export interface PoolSlotsParts extends EndpointSlotParts {
  pool: UpstreamPool;
  gate: SlotGate<Endpoint>;
  monitor: Pick<Monitor, "pending" | "countBrokenRequest">;
  availability: AvailabilityWaiters;
  requirements: Requirements;
  settings: Pick<Settings, "tryTimeoutMs">;
  /** What to tell of a model that no endpoint lists, if it is known all the same. */
  absence(model: string): ApiError | undefined;
}

/** What a request asks of the pool's endpoints. */
export interface PoolRequest {
  context: RequestContext;
  fingerprint: Float64Array | undefined;
  /** Endpoints that failed it. */
  tried: Endpoint[];
  /** Its answer has begun. Default: it has not. */
  hasBegun?: boolean;
}

type Refused = Exclude<AcquireResult<Endpoint>, { kind: "granted" }>;

/** Slots of the pool's endpoints for requests, which wait for them if need be. */
export class PoolSlots {
  readonly #parts: PoolSlotsParts;

  constructor(parts: PoolSlotsParts) {
    this.#parts = parts;
  }

  /** The clock of the routing in so many milliseconds. */
  deadlineIn(ms: number): number {
    return this.#parts.gate.now() + ms;
  }

  /** Milliseconds until a time of that clock; below 0 if it is over. */
  msUntil(atMs: number): number {
    return atMs - this.#parts.gate.now();
  }

  /** Whether a request still has time to be tried. */
  hasTime({ deadlineMs }: RequestContext): boolean {
    return this.#parts.gate.now() < deadlineMs;
  }

  /**
   * A slot of an endpoint that has the model and meets the requirement, or why there is none:
   * `model_not_found`, `no_endpoint`, `queue_full`, `queue_timeout`, `draining`, `client_closed`.
   * Waits at most until the request's deadline.
   */
  acquire(request: PoolRequest): EndpointSlot | ApiError | Promise<EndpointSlot | ApiError> {
    const acquired = this.#acquire(request, false);
    return acquired instanceof Promise
      ? acquired.then((result) => this.#resultOf(result, request))
      : this.#resultOf(acquired, request);
  }

  #resultOf(
    result: AcquireResult<Endpoint>,
    request: PoolRequest,
  ): EndpointSlot | ApiError | Promise<EndpointSlot | ApiError> {
    if (result.kind === "granted") return this.#slot(result.grant, request);
    if (result.kind !== "unavailable") return this.#refusal(result, request.context);
    return this.#acquireLater(request).then((later) =>
      later.kind === "granted"
        ? this.#slot(later.grant, request)
        : this.#refusal(later, request.context),
    );
  }

  #acquire(
    { context, fingerprint, tried, hasBegun = false }: PoolRequest,
    expected: boolean,
  ): AcquireResult<Endpoint> | Promise<AcquireResult<Endpoint>> {
    const { gate } = this.#parts;
    const { modelId: model, requirement, principal } = context;
    const startedAtMs = gate.now();
    const wait = {
      timeoutMs: Math.max(0, context.deadlineMs - startedAtMs),
      // Bun makes it when it is asked for, and only those who wait ask.
      get signal() {
        return context.client.signal;
      },
    };
    const { id: client, key, user } = principal;
    const priority = key?.limits.priority ?? user?.limits.priority ?? undefined;
    const slot = { model, requirement, client, priority, fingerprint, expected, tried, hasBegun };
    const acquired = gate.acquire(slot, wait);
    if (!(acquired instanceof Promise)) return acquired;
    return acquired.finally(() => {
      const waitedMs = gate.now() - startedAtMs;
      context.record?.waited(waitedMs);
      context.trace?.waited(waitedMs, "slot");
    });
  }

  /** Nothing can take the request now: waits for what is about to. */
  async #acquireLater(request: PoolRequest): Promise<AcquireResult<Endpoint>> {
    const { pool, gate, monitor, availability } = this.#parts;
    const { context, tried } = request;
    const { modelId, requirement, client } = context;
    const startedAtMs = gate.now();
    const isAwaited = () => {
      const there = pool
        .serving(modelId)
        .filter(({ health, isDraining }) => health.status !== "offline" && !isDraining);
      if (there.length === 0) return monitor.pending;
      // Which endpoints have the request's route is not known before they were asked.
      return requirement !== undefined && there.some(({ isDetecting }) => isDetecting);
    };
    while (tried.length === 0 && !availability.isClosed && isAwaited()) {
      const timeoutMs = Math.max(0, context.deadlineMs - gate.now());
      const outcome = await availability.next({ timeoutMs, signal: client.signal });
      if (outcome === "aborted") return { kind: "aborted" };
      if (outcome === "capacity_exceeded") return { kind: "rejected" };
      if (outcome === "timeout") break;
    }
    const nowMs = gate.now();
    if (nowMs > startedAtMs) context.trace?.waited(nowMs - startedAtMs, "endpoint");
    const mayCome = (endpoint: Endpoint) => {
      const { status } = endpoint.health;
      if (tried.includes(endpoint) || endpoint.isDraining) return false;
      return status === "pending" || (status === "online" && !isOpen(endpoint, modelId, nowMs));
    };
    return this.#acquire(request, pool.serving(modelId).some(mayCome));
  }

  #slot(grant: Grant<Endpoint>, { context, tried }: PoolRequest): EndpointSlot {
    const limits = this.#limits(grant.endpoint, context, tried);
    const { requestId } = context;
    tried.push(grant.endpoint);
    return new EndpointSlot({ parts: this.#parts, grant, requestId, ...limits });
  }

  /** How long the endpoint may take to begin its answer, and to come to its content. */
  #limits(endpoint: Endpoint, context: RequestContext, tried: Endpoint[]) {
    const { pool, gate, settings } = this.#parts;
    const nowMs = gate.now();
    let attemptsLeft = 0;
    for (const other of pool.serving(context.modelId)) {
      if (tried.length + 1 + attemptsLeft > RETRIES_MAX) break;
      if (other !== endpoint && !tried.includes(other) && isOpen(other, context.modelId, nowMs))
        attemptsLeft += 1;
    }
    const leftMs = Math.max(1, context.deadlineMs - nowMs);
    const { tryTimeoutMs } = settings;
    const { streams } = context;
    const loadMs = endpoint.warmth.loadLeftMs(context.modelId, nowMs);
    const limitMs = attemptLimitMs({ leftMs, tryTimeoutMs, attemptsLeft, streams, loadMs });
    const { inferenceTimeoutMs } = endpoint.facts;
    return {
      firstByteTimeoutMs: Math.min(limitMs, inferenceTimeoutMs),
      // An answer that has begun is not tried elsewhere, so it may take all the time.
      contentTimeoutMs: Math.min(leftMs, inferenceTimeoutMs),
    };
  }

  #refusal({ kind }: Refused, context: RequestContext): ApiError {
    const { modelId } = context;
    switch (kind) {
      case "rejected":
        return queueFull(modelId);
      case "timeout":
        return queueTimeout(modelId, context.record?.queueMs ?? 0);
      case "aborted":
        return clientLeft();
      case "closed":
        return closing();
      case "unavailable": {
        // What its endpoints can do may have become known while it waited: then it is refused.
        this.#parts.requirements.of(context);
        if (context.pin !== undefined) return pinUnavailable(context.pin, modelId);
        const { pool, absence } = this.#parts;
        const { endpoints } = pool;
        if (pool.serving(modelId).length > 0) return noEndpoint(modelId, endpoints.length);
        const unasked = endpoints.every((one) => one.models === undefined);
        const otherwise = unasked ? noEndpoint(modelId, endpoints.length) : modelNotFound(modelId);
        return absence(modelId) ?? otherwise;
      }
    }
  }
}
