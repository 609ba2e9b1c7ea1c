import type { Strategy } from "../../config/fields/endpoints.ts";
import { type Admission, admit } from "./admission.ts";
import { hasRoom } from "./coldstart.ts";
import { Grant, type GrantEvents } from "./grant.ts";
import { HeldLoads } from "./heldloads.ts";
import { ModelQueue, ModelQueues, type QueuedRequest } from "./modelqueue.ts";
import type { PrefixIndex } from "./prefix.ts";
import { QueueItem } from "./queue.ts";
import { isInUse, isOpen, type Reason, select } from "./selection.ts";
import type {
  QueueWait,
  Routable,
  SchedulerCounts,
  SlotOutcome,
  SlotRequest,
} from "./slotrequest.ts";

export interface SchedulerOptions<E extends Routable> {
  /** Endpoints that have a model, online or not: those whose `served` has it. */
  candidates: (model: string) => readonly E[];
  /** Default `prefix`. */
  strategy?: Strategy;
  /** Needed for the strategy `prefix`. */
  prefixes?: PrefixIndex<E>;
  /** Requests that may wait for one model; default 100. */
  queueMax?: number;
  /** Requests that may wait in all; default 10,000. */
  waitingMax?: number;
  /**
   * Call `offer` for an endpoint at that time, somebody may wait for it: its circuit opened, or it
   * would have to load a model for whose slots elsewhere requests wait.
   */
  onBlocked?: (endpoint: E, untilMs: number) => void;
}

/**
 * Gives the slots of endpoints to requests. Pure: time comes with the calls, and whoever waits is
 * called back.
 *
 * A request:
 * 1. Closed: closed.
 * 2. Selection finds an endpoint with a free slot: granted, but those who wait for the model
 *    already come first, unless the request has been to an endpoint before.
 * 3. No endpoint can take it and none is expected: unavailable.
 * 4. Otherwise admission by the fill of the model's queue: queued, delayed or rejected. A request
 *    that has been to an endpoint is queued as long as the queue is not at its limit.
 *
 * A slot that gets free (`offer`) is given away within the call, so nobody can come in between:
 * 1. The endpoint is not online, is drained or has no free slot: nothing.
 * 2. Among the queues whose model the endpoint has, with a closed circuit, and whose requirement it
 *    meets, the one served longest ago. Requests that require different things wait in queues of
 *    their own.
 * 3. Its next request, see `FairQueue`, is granted; then again from 1.
 *
 * Requests that wait for a slot where their model is loaded are no reason for another endpoint to
 * load it, unless their queue is longer than that load, or nobody was served for as long.
 */
export class Scheduler<E extends Routable> {
  readonly #options: SchedulerOptions<E>;
  readonly #strategy: Strategy;
  /** Length of a model's queue. */
  queueMax: number;
  readonly #waitingMax: number;
  readonly #queues = new ModelQueues<E>();
  readonly counts: SchedulerCounts = {
    granted: 0,
    waited: 0,
    waitedMsTotal: 0,
    rejected: 0,
    timedOut: 0,
  };
  readonly #events: GrantEvents<E>;
  readonly #held: HeldLoads<E>;
  /** Waiting requests and places. */
  #waiting = 0;
  #turn = 0;
  #closed = false;

  constructor(options: SchedulerOptions<E>) {
    this.#options = options;
    this.#strategy = options.strategy ?? "prefix";
    this.queueMax = options.queueMax ?? 100;
    this.#waitingMax = options.waitingMax ?? 10_000;
    this.#held = new HeldLoads((endpoint, untilMs) => options.onBlocked?.(endpoint, untilMs));
    this.#events = {
      onFree: (endpoint, nowMs) => this.offer(endpoint, nowMs),
      onBlocked: (endpoint, untilMs) => options.onBlocked?.(endpoint, untilMs),
    };
  }

  /** Requests that wait in all, or for one model. */
  waiting(model?: string): number {
    if (model === undefined) return this.#waiting;
    let waiting = 0;
    for (const queue of this.#queues.ofModel(model)) waiting += queue.size + queue.reserved;
    return waiting;
  }

  /** Requests that wait, by model; of `modelsMax` models at most. */
  waitingByModel(modelsMax: number): Record<string, number> {
    return this.#queues.waitingByModel(modelsMax);
  }

  /** Asks for a slot. */
  request(request: SlotRequest<E>): SlotOutcome<E> {
    request.place?.giveUp();
    if (this.#closed) return { kind: "closed" };
    for (;;) {
      const queue = this.#queues.of(request);
      const selection = this.#select(request, queue?.size ?? 0);
      if ("none" in selection) {
        if (selection.none === "no_candidate" && request.expected !== true) {
          return { kind: "unavailable" };
        }
        if ("held" in selection) this.#held.hold(selection.held, request);
        return this.#wait(request, queue);
      }
      const { endpoint, reason } = selection;
      // A slot is free though somebody waits, e.g. because a back-off is over: they come first.
      if (!isRetry(request) && this.#handOver(endpoint, queue, request.nowMs)) continue;
      return { kind: "granted", grant: this.#grant(request, endpoint, { reason, waitedMs: 0 }) };
    }
  }

  /**
   * Gives free slots of an endpoint to those who wait. To be called when it has more
   * slots or models than before, or its circuit's back-off is over.
   */
  offer(endpoint: E, nowMs: number): void {
    while (this.#waiting > 0 && isInUse(endpoint) && hasRoom(endpoint)) {
      if (!this.#handOverAny(endpoint, nowMs)) return;
    }
  }

  /** An endpoint came online: what failed before is over, and those who wait get its slots. */
  cameOnline(endpoint: E, nowMs: number): void {
    endpoint.circuits.reset();
    this.#held.forget(endpoint);
    this.offer(endpoint, nowMs);
  }

  /**
   * An endpoint went offline or is removed: when it comes back, it may be slower and has forgotten
   * its prompts. What was counted of it stays.
   */
  wentOffline(endpoint: E): void {
    endpoint.latency.reset();
    endpoint.warmth.reset();
    this.#held.forget(endpoint);
    this.#options.prefixes?.forget(endpoint);
  }

  /** Sends everybody away who waits, and from now on everybody who comes. */
  close(): void {
    this.#closed = true;
    for (const queue of this.#queues.all()) {
      for (let item = queue.takeAny(); item !== undefined; item = queue.takeAny()) {
        this.#waiting -= 1;
        item.request.waiting.onSettled({ kind: "closed" });
      }
      this.#queues.tidy(queue);
    }
  }

  #select(request: SlotRequest<E>, waiting: number) {
    const { model, requirement, nowMs, tried, fingerprint } = request;
    const matches =
      this.#strategy === "prefix" && fingerprint !== undefined && fingerprint.length > 0
        ? this.#options.prefixes?.match(fingerprint, nowMs)
        : undefined;
    const turn = this.#turn + 1;
    const context = { model, strategy: this.#strategy, nowMs, turn, tried, matches, waiting };
    return select(this.#candidates(model, requirement), context);
  }

  #candidates(model: string, requirement: SlotRequest<E>["requirement"]): readonly E[] {
    const all = this.#options.candidates(model);
    return requirement === undefined ? all : all.filter((one) => requirement.isMetBy(one, model));
  }

  #grant(
    request: SlotRequest<E>,
    endpoint: E,
    how: { reason: Reason | "queue"; waitedMs: number },
  ) {
    this.#turn += 1;
    endpoint.load.lastTurn = this.#turn;
    this.counts.granted += 1;
    const { fingerprint, nowMs, model } = request;
    if (fingerprint !== undefined) this.#options.prefixes?.record(fingerprint, endpoint, nowMs);
    return new Grant<E>({
      endpoint,
      model,
      ...how,
      nowMs,
      events: this.#events,
    });
  }

  /** Grants an endpoint's slot to the next who waits in a queue; false if nobody wants it. */
  #handOver(endpoint: E, queue: ModelQueue<E> | undefined, nowMs: number): boolean {
    const item = queue?.take(endpoint);
    if (queue === undefined || item === undefined) return false;
    this.#waiting -= 1;
    this.#queues.served(queue, { turn: this.#turn + 1, nowMs });
    this.#queues.tidy(queue);
    const { request, waiting } = item.request;
    const waitedMs = Math.max(0, nowMs - (request.sinceMs ?? request.nowMs));
    this.counts.waited += 1;
    this.counts.waitedMsTotal += waitedMs;
    const grant = this.#grant({ ...request, nowMs }, endpoint, { reason: "queue", waitedMs });
    waiting.onSettled({ kind: "granted", grant });
    return true;
  }

  /** Grants an endpoint's slot to somebody: queues in turn, the one served longest ago first. */
  #handOverAny(endpoint: E, nowMs: number): boolean {
    const { served } = endpoint;
    if (served.size >= this.#queues.size) {
      for (const queue of this.#queues.all()) {
        if (this.#takes(endpoint, queue, nowMs) && this.#handOver(endpoint, queue, nowMs))
          return true;
      }
      return false;
    }
    const queues: ModelQueue<E>[] = [];
    for (const model of served.keys()) {
      for (const queue of this.#queues.ofModel(model))
        if (this.#takes(endpoint, queue, nowMs)) queues.push(queue);
    }
    queues.sort((a, b) => a.servedTurn - b.servedTurn);
    return queues.some((queue) => this.#handOver(endpoint, queue, nowMs));
  }

  /** Whether an endpoint can be given the requests of a queue now. */
  #takes(endpoint: E, queue: ModelQueue<E>, nowMs: number): boolean {
    const { model, requirement, size } = queue;
    if (size === 0 || !queue.isFor(endpoint) || !isOpen(endpoint, model, nowMs)) return false;
    const open = () =>
      this.#candidates(model, requirement).filter((one) => isOpen(one, model, nowMs));
    return this.#held.mayHave(endpoint, queue, { open, nowMs });
  }

  #wait(request: SlotRequest<E>, queue = new ModelQueue<E>(request, this.#turn)): SlotOutcome<E> {
    const admission = this.#admit(request, queue);
    if (admission.kind === "reject") {
      this.counts.rejected += 1;
      return { kind: "rejected" };
    }
    this.#queues.add(queue);
    this.#waiting += 1;
    if (admission.kind === "accept")
      return { kind: "queued", waiting: this.#enqueue(request, queue) };
    const place = queue.place(request.client, () => {
      this.#waiting -= 1;
      this.#queues.tidy(queue);
    });
    return { kind: "delay", delayMs: admission.delayMs, place };
  }

  #admit(request: SlotRequest<E>, queue: ModelQueue<E>): Admission {
    const { client, place } = request;
    const waiting = queue.size + queue.reserved;
    if (this.#waiting >= this.#waitingMax || waiting >= this.queueMax) return { kind: "reject" };
    if (isRetry(request) || place !== undefined) return { kind: "accept" };
    const own = queue.own(client) + (queue.places.get(client) ?? 0);
    const clients = queue.clients + (queue.own(client) === 0 ? 1 : 0);
    return admit({ waiting, max: this.queueMax, own, clients });
  }

  #enqueue(request: SlotRequest<E>, queue: ModelQueue<E>): QueueWait<E> {
    const { client, priority, tried } = request;
    const isFirst = isRetry(request);
    const waiting: QueueWait<E> = {
      onSettled: () => undefined,
      leave: (why) => {
        if (!queue.remove(item)) return false;
        this.#waiting -= 1;
        if (why === "timeout") this.counts.timedOut += 1;
        this.#queues.tidy(queue);
        return true;
      },
    };
    const item: QueueItem<E, QueuedRequest<E>> = new QueueItem({
      client,
      request: { request, waiting },
      isFirst,
      ...(priority === undefined ? {} : { priority }),
      ...(tried === undefined ? {} : { tried }),
    });
    queue.push(item);
    return waiting;
  }
}

function isRetry({ tried, hasBegun }: Pick<SlotRequest<unknown>, "tried" | "hasBegun">): boolean {
  return hasBegun === true || (tried !== undefined && tried.length > 0);
}
