/** An event as it is sent, and who may have it. */
export interface LoggedEvent<R> {
  id: string;
  frame: Uint8Array;
  reader: R;
}

export interface EventLogLimits {
  eventsMax: number;
  bytesMax: number;
}

/**
 * The last events, so that whoever was away for a moment misses none. Ids are the log's own word
 * and a number: those of another process, or from before `clear`, are not known.
 */
export class EventLog<R> {
  readonly #limits: EventLogLimits;
  readonly #word: string;
  #events: LoggedEvent<R>[] = [];
  #bytes = 0;
  #cleared = 0;
  #number = 0;

  constructor(limits: EventLogLimits, word: string) {
    this.#limits = limits;
    this.#word = word;
  }

  /** The id of the last event; as `Last-Event-ID` it asks for those after it. */
  get lastId(): string {
    return this.#idOf(this.#number);
  }

  /** Appends an event, whose text is made with its id. */
  push(frameOf: (id: string) => Uint8Array, reader: R): LoggedEvent<R> {
    this.#number += 1;
    const id = this.lastId;
    const event = { id, frame: frameOf(id), reader };
    this.#events.push(event);
    this.#bytes += event.frame.length;
    const { eventsMax, bytesMax } = this.#limits;
    let dropped = 0;
    while (this.#events.length - dropped > eventsMax || this.#bytes > bytesMax) {
      this.#bytes -= this.#events[dropped]?.frame.length ?? 0;
      dropped += 1;
    }
    // Not one by one: that would move all others each time.
    if (dropped > 0) this.#events = this.#events.slice(dropped);
    return event;
  }

  /** The events after the one with this id; undefined if not all of them are there any more. */
  after(id: string): readonly LoggedEvent<R>[] | undefined {
    if (id === this.lastId) return [];
    const at = this.#events.findIndex((event) => event.id === id);
    if (at >= 0) return this.#events.slice(at + 1);
    const first = this.#events[0];
    const isJustBefore = first !== undefined && id === this.#idOf(numberOf(first.id) - 1);
    return isJustBefore ? [...this.#events] : undefined;
  }

  /** Forgets all: from now on nobody follows what happens. */
  clear(): void {
    this.#events = [];
    this.#bytes = 0;
    this.#cleared += 1;
  }

  #idOf(number: number): string {
    return `${this.#word}.${this.#cleared}.${number}`;
  }
}

function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf(".") + 1));
}
