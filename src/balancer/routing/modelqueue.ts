import { FairQueue } from "./queue.ts";
import type { QueuePlace, QueueWait, Requirement, Routable, SlotRequest } from "./slotrequest.ts";

/** A waiting request and how to reach who waits. */
export interface QueuedRequest<E extends Routable> {
  request: SlotRequest<E>;
  waiting: QueueWait<E>;
}

/** Requests for a model that require the same of an endpoint wait in one queue. */
function queueKey(model: string, requirement: { readonly key: string } | undefined): string {
  return requirement === undefined ? model : `${model}\n${requirement.key}`;
}

/** The queue of one model and requirement, and the places in it of requests that come later. */
export class ModelQueue<E extends Routable> extends FairQueue<E, QueuedRequest<E>> {
  readonly key: string;
  readonly model: string;
  readonly requirement: Requirement<E> | undefined;
  /** Places for requests that come later. */
  reserved = 0;
  /** The same by client. */
  readonly places = new Map<string, number>();
  /** Number of the selection that served it last, at first of the one it came after. */
  servedTurn: number;
  /** When one of its requests was served last, at first when the first one came. */
  servedAtMs: number;

  constructor({ model, requirement, nowMs }: SlotRequest<E>, servedTurn: number) {
    super();
    this.servedAtMs = nowMs;
    this.key = queueKey(model, requirement);
    this.model = model;
    this.requirement = requirement;
    this.servedTurn = servedTurn;
  }

  /** Whether an endpoint is for the requests that wait here. */
  isFor(endpoint: E): boolean {
    if (!endpoint.served.has(this.model)) return false;
    return this.requirement === undefined || this.requirement.isMetBy(endpoint, this.model);
  }

  /** A place for a request of a client that comes later; says when it is given up. */
  place(client: string, onGivenUp: () => void): QueuePlace {
    this.#reserve(client, 1);
    let isHeld = true;
    return {
      giveUp: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#reserve(client, -1);
        onGivenUp();
      },
    };
  }

  #reserve(client: string, change: 1 | -1): void {
    this.reserved += change;
    const places = (this.places.get(client) ?? 0) + change;
    if (places === 0) this.places.delete(client);
    else this.places.set(client, places);
  }
}

/** The queues of all models, as far as requests or places are in them. */
export class ModelQueues<E extends Routable> {
  readonly #queues = new Map<string, ModelQueue<E>>();
  readonly #byModel = new Map<string, Set<ModelQueue<E>>>();

  get size(): number {
    return this.#queues.size;
  }

  /** The queue that a request belongs into, if there is one. */
  of({ model, requirement }: SlotRequest<E>): ModelQueue<E> | undefined {
    return this.#queues.get(queueKey(model, requirement));
  }

  /** All of them, the one served longest ago first. */
  all(): IterableIterator<ModelQueue<E>> {
    return this.#queues.values();
  }

  /** Those of one model, whatever their requests require. */
  ofModel(model: string): Iterable<ModelQueue<E>> {
    return this.#byModel.get(model) ?? [];
  }

  /** Requests that wait, and places, by model; of `modelsMax` models at most. */
  waitingByModel(modelsMax: number): Record<string, number> {
    const waiting = new Map<string, number>();
    for (const { model, size, reserved } of this.all()) {
      if (size + reserved === 0 || (waiting.size >= modelsMax && !waiting.has(model))) continue;
      waiting.set(model, (waiting.get(model) ?? 0) + size + reserved);
    }
    return Object.fromEntries([...waiting].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Adds a queue, if it is not there. */
  add(queue: ModelQueue<E>): void {
    this.#queues.set(queue.key, queue);
    const ofModel = this.#byModel.get(queue.model) ?? new Set();
    this.#byModel.set(queue.model, ofModel.add(queue));
  }

  /** A queue is served by the selection with this number: it goes to the end. */
  served(queue: ModelQueue<E>, { turn, nowMs }: { turn: number; nowMs: number }): void {
    queue.servedTurn = turn;
    queue.servedAtMs = nowMs;
    this.#queues.delete(queue.key);
    this.#queues.set(queue.key, queue);
  }

  /** Forgets a queue that nobody uses, so that there are never more than waiting requests. */
  tidy(queue: ModelQueue<E>): void {
    if (queue.size > 0 || queue.reserved > 0) return;
    this.#queues.delete(queue.key);
    const ofModel = this.#byModel.get(queue.model);
    ofModel?.delete(queue);
    if (ofModel?.size === 0) this.#byModel.delete(queue.model);
  }
}
