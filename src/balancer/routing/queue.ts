import { LinkedList, ListItem } from "../../lib/linkedlist.ts";

/** What a client may use up per visit; no single request costs more. */
const QUANTUM = 1;

/** A request that waits for a slot. */
export class QueueItem<Endpoint, Request> extends ListItem {
  readonly client: string;
  readonly request: Request;
  /** Share of a visit that it uses up, over 0 and up to 1. */
  readonly cost: number;
  /** Endpoints that it does not want again. */
  readonly tried: readonly Endpoint[];

  constructor({ client, request, cost = 1, tried = [] }: QueueItemOptions<Endpoint, Request>) {
    super();
    this.client = client;
    this.request = request;
    this.cost = cost > 0 && cost < QUANTUM ? cost : QUANTUM;
    this.tried = tried;
  }
}

export interface QueueItemOptions<Endpoint, Request> {
  /** Whose request it is; clients share the slots evenly. */
  client: string;
  request: Request;
  /** Over 0 and up to 1, the most expensive request; default 1. */
  cost?: number;
  /** Default none. A request that has been to an endpoint goes before all others. */
  tried?: readonly Endpoint[];
}

/** The waiting requests of one client. */
class Line<E, R> extends ListItem {
  readonly client: string;
  readonly tickets = new LinkedList<QueueItem<E, R>>();
  /** What the client may still use up in this visit. */
  deficit = 0;

  constructor(client: string) {
    super();
    this.client = client;
  }
}

/**
 * The requests that wait for one model: first come, first served within a client, and clients in
 * turn (deficit round-robin, Shreedhar and Varghese 1995). All operations take constant time. The
 * next ticket for an endpoint that has a free slot:
 *
 * 1. The oldest of the requests that have failed elsewhere and not been to this endpoint.
 * 2. Otherwise the oldest of the client whose visit it is. A visit lasts until what its client
 *    may use up, one quantum per visit, does not pay for its next request; then the client goes
 *    to the end of the round. A client that comes new goes there as well.
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
    return this.#lines.get(client)?.tickets.size ?? 0;
  }

  push(ticket: QueueItem<Endpoint, Request>): void {
    this.#size += 1;
    if (ticket.tried.length > 0) {
      this.#again.push(ticket);
      return;
    }
    let line = this.#lines.get(ticket.client);
    if (line === undefined) {
      line = new Line(ticket.client);
      this.#lines.set(ticket.client, line);
      this.#round.push(line);
    }
    line.tickets.push(ticket);
  }

  /** Takes out the next ticket for an endpoint, if there is one. */
  take(endpoint: Endpoint): QueueItem<Endpoint, Request> | undefined {
    return this.#takeAgain(endpoint) ?? this.#takeInTurn();
  }

  /** Takes out any ticket, whatever endpoints it wants: the queue is dissolved. */
  takeAny(): QueueItem<Endpoint, Request> | undefined {
    const ticket = this.#again.first;
    if (ticket === undefined) return this.#takeInTurn();
    this.remove(ticket);
    return ticket;
  }

  /** Removes a ticket whose client no longer waits; false if it is not in the queue. */
  remove(ticket: QueueItem<Endpoint, Request>): boolean {
    const line = this.#lines.get(ticket.client);
    const removed = this.#again.remove(ticket) || line?.tickets.remove(ticket) === true;
    if (!removed) return false;
    this.#size -= 1;
    if (line?.tickets.size === 0) this.#drop(line);
    return true;
  }

  #takeAgain(endpoint: Endpoint): QueueItem<Endpoint, Request> | undefined {
    if (this.#again.size === 0) return undefined;
    for (const ticket of this.#again) {
      if (ticket.tried.includes(endpoint)) continue;
      this.remove(ticket);
      return ticket;
    }
    return undefined;
  }

  #takeInTurn(): QueueItem<Endpoint, Request> | undefined {
    const line = this.#round.first;
    const ticket = line?.tickets.first;
    if (line === undefined || ticket === undefined) return undefined;
    if (line.deficit < ticket.cost) line.deficit += QUANTUM;
    line.deficit -= ticket.cost;
    this.remove(ticket);
    const next = line.tickets.first;
    if (next !== undefined && line.deficit < next.cost) {
      this.#round.remove(line);
      this.#round.push(line);
    }
    return ticket;
  }

  #drop(line: Line<Endpoint, Request>): void {
    this.#lines.delete(line.client);
    this.#round.remove(line);
  }
}
