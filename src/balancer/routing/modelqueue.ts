import { FairQueue } from "./queue.ts";
import type { Routable, SlotRequest, Waiting } from "./request.ts";

/** A waiting request and how to reach who waits. */
export interface Entry<E extends Routable> {
  request: SlotRequest<E>;
  waiting: Waiting<E>;
}

/** The queue of one model, and the places in it of requests that come later. */
export class ModelQueue<E extends Routable> extends FairQueue<E, Entry<E>> {
  readonly model: string;
  /** Places for requests that come later. */
  reserved = 0;
  /** The same by client. */
  readonly places = new Map<string, number>();
  /** Number of the selection that served it last, at first of the one it came after. */
  servedTurn: number;

  constructor(model: string, servedTurn: number) {
    super();
    this.model = model;
    this.servedTurn = servedTurn;
  }

  /** Adds or gives up a place of a client. */
  reserve(client: string, change: 1 | -1): void {
    this.reserved += change;
    const places = (this.places.get(client) ?? 0) + change;
    if (places === 0) this.places.delete(client);
    else this.places.set(client, places);
  }
}
