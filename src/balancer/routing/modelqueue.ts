import { FairQueue } from "./queue.ts";
import type { Requirement, Routable, SlotRequest, Waiting } from "./slotrequest.ts";

/** A waiting request and how to reach who waits. */
export interface QueuedRequest<E extends Routable> {
  request: SlotRequest<E>;
  waiting: Waiting<E>;
}

/** Requests for a model that require the same of an endpoint wait in one queue. */
export function queueKey(model: string, requirement: { readonly key: string } | undefined): string {
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

  constructor({ model, requirement }: SlotRequest<E>, servedTurn: number) {
    super();
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

  /** Adds or gives up a place of a client. */
  reserve(client: string, change: 1 | -1): void {
    this.reserved += change;
    const places = (this.places.get(client) ?? 0) + change;
    if (places === 0) this.places.delete(client);
    else this.places.set(client, places);
  }
}
