import { LinkedList, ListItem } from "../../lib/linkedlist.ts";
import type { Priority } from "../../wire/limits.ts";

/** A request that waits for a slot. */
export class QueueItem<Endpoint, Request> extends ListItem {
  readonly client: string;
  readonly priority: Priority;
  readonly request: Request;
  /** Endpoints that it does not want again. */
  readonly tried: readonly Endpoint[];
  /** It goes before all others. */
  readonly isFirst: boolean;

  constructor(options: QueueItemOptions<Endpoint, Request>) {
    super();
    const {
      client,
      priority = "normal",
      request,
      tried = [],
      isFirst = tried.length > 0,
    } = options;
    this.client = client;
    this.priority = priority;
    this.request = request;
    this.tried = tried;
    this.isFirst = isFirst;
  }
}

export interface QueueItemOptions<Endpoint, Request> {
  /** Whose request it is; clients share the slots evenly. */
  client: string;
  /** The class that it waits in; default `normal`. */
  priority?: Priority;
  request: Request;
  /** Default none. */
  tried?: readonly Endpoint[];
  /** It goes before all others. Default: if it has been to an endpoint. */
  isFirst?: boolean;
}

/** How often the classes are served while requests of all of them wait. */
const WEIGHTS: Record<Priority, number> = { high: 16, normal: 4, low: 1 };

/** The clients of one class, in turn. */
class Round<E, R> {
  readonly lines = new LinkedList<Line<E, R>>();
  readonly #step: number;
  /** How much it has had; the class with least is next (stride scheduling). */
  pass = 0;

  constructor(weight: number) {
    this.#step = 1 / weight;
  }

  served(): void {
    this.pass += this.#step;
  }
}

/** The waiting requests of one client. */
class Line<E, R> extends ListItem {
  readonly client: string;
  readonly round: Round<E, R>;
  readonly items = new LinkedList<QueueItem<E, R>>();

  constructor(client: string, round: Round<E, R>) {
    super();
    this.client = client;
    this.round = round;
  }
}

/**
 * The requests that wait for one model: first come, first served within a client, and one of each
 * client in turn (round-robin). All operations take constant time. The next request for an endpoint
 * that has a free slot:
 *
 * 1. The oldest of the requests that have failed or begun elsewhere and not been to this endpoint.
 * 2. Otherwise one of the class whose turn it is: while requests of all classes wait, 16 of high
 *    are served to 4 of normal and 1 of low, so none starves. A class that nobody waited in has
 *    saved nothing up.
 * 3. Of that class the oldest of the client whose turn it is, who then goes to the end of its
 *    round. A client that comes new goes there as well.
 */
export class FairQueue<Endpoint, Request> {
  readonly #lines = new Map<string, Line<Endpoint, Request>>();
  readonly #rounds: Record<Priority, Round<Endpoint, Request>> = {
    high: new Round(WEIGHTS.high),
    normal: new Round(WEIGHTS.normal),
    low: new Round(WEIGHTS.low),
  };
  /** What the class that was served last had had. */
  #pass = 0;
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
    if (item.isFirst) {
      this.#again.push(item);
      return;
    }
    let line = this.#lines.get(item.client);
    if (line === undefined) {
      const round = this.#rounds[item.priority];
      line = new Line(item.client, round);
      this.#lines.set(item.client, line);
      if (round.lines.size === 0) round.pass = Math.max(round.pass, this.#pass);
      round.lines.push(line);
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
    const round = this.#nextRound();
    const line = round?.lines.first;
    const item = line?.items.first;
    if (round === undefined || line === undefined || item === undefined) return undefined;
    this.#pass = round.pass;
    round.served();
    this.remove(item);
    if (line.items.first !== undefined) {
      round.lines.remove(line);
      round.lines.push(line);
    }
    return item;
  }

  /** The class whose turn it is; of several with as much the higher one. */
  #nextRound(): Round<Endpoint, Request> | undefined {
    const { high, normal, low } = this.#rounds;
    let next: Round<Endpoint, Request> | undefined;
    for (const round of [high, normal, low]) {
      if (round.lines.size === 0) continue;
      if (next === undefined || round.pass < next.pass) next = round;
    }
    return next;
  }

  #drop(line: Line<Endpoint, Request>): void {
    this.#lines.delete(line.client);
    line.round.lines.remove(line);
  }
}
