import { LinkedList, ListItem } from "../../lib/linkedlist.ts";

/** A request that waits for a slot. */
export class QueueItem<Endpoint, Request> extends ListItem {
  readonly client: string;
  readonly request: Request;
  /** Endpoints that it does not want again. */
  readonly tried: readonly Endpoint[];

  constructor({ client, request, tried = [] }: QueueItemOptions<Endpoint, Request>) {
    super();
    this.client = client;
    this.request = request;
    this.tried = tried;
  }
}

export interface QueueItemOptions<Endpoint, Request> {
  /** Whose request it is; clients share the slots evenly. */
  client: string;
  request: Request;
  /** Default none. A request that has been to an endpoint goes before all others. */
  tried?: readonly Endpoint[];
}

/** The waiting requests of one client. */
class Line<E, R> extends ListItem {
  readonly client: string;
  readonly items = new LinkedList<QueueItem<E, R>>();

  constructor(client: string) {
    super();
    this.client = client;
  }
}

/**
 * The requests that wait for one model: first come, first served within a client, and one of each
 * client in turn (round-robin). All operations take constant time. The next request for an endpoint
 * that has a free slot:
 *
 * 1. The oldest of the requests that have failed elsewhere and not been to this endpoint.
 * 2. Otherwise the oldest of the client whose turn it is, who then goes to the end of the round. A
 *    client that comes new goes there as well.
 */
export class FairQueue<Endpoint, Request> {
  readonly #lines = new Map<string, Line<Endpoint, Request>>();
  readonly #round = new LinkedList<Line<Endpoint, Request>>();
  readonly #again = new LinkedList<QueueItem<Endpoint, Request>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Clients that wait, without those that have been to an endpoint. */
  get clients(): number {
    return this.#lines.size;
  }

  /** Waiting requests of one client, likewise. */
  own(client: string): number {
    return this.#lines.get(client)?.items.size ?? 0;
  }

  push(item: QueueItem<Endpoint, Request>): void {
    this.#size += 1;
    if (item.tried.length > 0) {
      this.#again.push(item);
      return;
    }
    let line = this.#lines.get(item.client);
    if (line === undefined) {
      line = new Line(item.client);
      this.#lines.set(item.client, line);
      this.#round.push(line);
    }
    line.items.push(item);
  }

  /** Takes out the next item for an endpoint, if there is one. */
  take(endpoint: Endpoint): QueueItem<Endpoint, Request> | undefined {
    return this.#takeAgain(endpoint) ?? this.#takeInTurn();
  }

  /** Takes out any item, whatever endpoints it wants: the queue is dissolved. */
  takeAny(): QueueItem<Endpoint, Request> | undefined {
    const item = this.#again.first;
    if (item === undefined) return this.#takeInTurn();
    this.remove(item);
    return item;
  }

  /** Removes a item whose client no longer waits; false if it is not in the queue. */
  remove(item: QueueItem<Endpoint, Request>): boolean {
    const line = this.#lines.get(item.client);
    const removed = this.#again.remove(item) || line?.items.remove(item) === true;
    if (!removed) return false;
    this.#size -= 1;
    if (line?.items.size === 0) this.#drop(line);
    return true;
  }

  #takeAgain(endpoint: Endpoint): QueueItem<Endpoint, Request> | undefined {
    if (this.#again.size === 0) return undefined;
    for (const item of this.#again) {
      if (item.tried.includes(endpoint)) continue;
      this.remove(item);
      return item;
    }
    return undefined;
  }

  #takeInTurn(): QueueItem<Endpoint, Request> | undefined {
    const line = this.#round.first;
    const item = line?.items.first;
    if (line === undefined || item === undefined) return undefined;
    this.remove(item);
    if (line.items.first !== undefined) {
      this.#round.remove(line);
      this.#round.push(line);
    }
    return item;
  }

  #drop(line: Line<Endpoint, Request>): void {
    this.#lines.delete(line.client);
    this.#round.remove(line);
  }
}
