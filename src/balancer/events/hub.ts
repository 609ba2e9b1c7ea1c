import type { Principal } from "../../http/server/principal.ts";
import type { LiveEvent } from "../../wire/event.ts";
import { EventLog } from "./eventlog.ts";
import { EventListener } from "./listener.ts";

/** Whose an event is: undefined for everybody's. */
export type EventOwner = { userId: string | null; keyId: string | null } | undefined;

export interface EventHubOptions {
  version: string;
  /** The events that somebody gets who comes anew, on top of what lists tell him. */
  snapshot(principal: Principal): LiveEvent[];
  /** Somebody listens now, or nobody does any more. */
  onWatched(isWatched: boolean): void;
}

const LOG_LIMITS = { eventsMax: 2000, bytesMax: 1024 * 1024 };
/** After so long without anybody, nobody is expected to come back. */
const FORGET_MS = 60_000;
/** Listeners beyond this are the oldest ones' turn to come again. */
const LISTENERS_MAX = 1000;
/** Connections that are silent for this long may be gone; a comment finds out. */
const PING_MS = 15_000;
/**
 * A connection's time: then its browser connects again, where the door looks anew whether it may,
 * and goes on where it was.
 */
const CONNECTION_MS = 120_000;

interface Reader {
  listener: EventListener;
  principal: Principal;
  until: number;
  sentAt: number;
}

const encoder = new TextEncoder();
const PING = encoder.encode(": still here\n\n");
/** How long browsers wait before they connect again. */
const RETRY = "retry: 1000\n";

/** Where events come together and go out to all who listen; each is put into words once. */
export class EventHub {
  readonly #options: EventHubOptions;
  readonly #log = new EventLog<EventOwner>(LOG_LIMITS, crypto.randomUUID().slice(0, 8));
  readonly #readers = new Set<Reader>();
  #timer: Timer | undefined;
  #emptySince = 0;

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  /** Whether anybody listens, or may come back to ask what he missed. */
  get isWatched(): boolean {
    return this.#timer !== undefined;
  }

  /** Tells an event to all who may know it. Without anybody it is forgotten. */
  publish(event: LiveEvent, owner?: EventOwner): void {
    if (!this.isWatched) return;
    const { frame } = this.#log.push((id) => frameOf(event, id), owner);
    for (const reader of this.#readers) {
      if (maySee(reader.principal, owner)) this.#send(reader, frame);
    }
  }

  /** A stream of events: those after `lastId` if all are there still, else how things are. */
  listen(principal: Principal, lastId: string | undefined): ReadableStream<Uint8Array> {
    this.#watch();
    const missed = lastId === undefined ? undefined : this.#log.after(lastId);
    const listener = new EventListener(() => this.#readers.delete(reader));
    const now = performance.now();
    const reader: Reader = { listener, principal, until: now + CONNECTION_MS, sentAt: now };
    const { version, snapshot } = this.#options;
    const hello: LiveEvent = { type: "hello", version, resumed: missed !== undefined };
    // What is missed comes with its own ids, so that this one must not be later than they are.
    const helloId = missed === undefined ? this.#log.lastId : (lastId ?? "");
    listener.send(frameOf(hello, helloId, RETRY));
    if (missed === undefined) {
      for (const event of snapshot(principal)) listener.send(frameOf(event, this.#log.lastId));
    } else {
      for (const { frame, reader: owner } of missed) {
        if (maySee(principal, owner)) listener.send(frame);
      }
    }
    this.#readers.add(reader);
    if (this.#readers.size > LISTENERS_MAX) [...this.#readers][0]?.listener.end();
    return listener.stream;
  }

  /** Sends everybody away. */
  close(): void {
    for (const { listener } of [...this.#readers]) listener.end();
    this.#unwatch();
  }

  #send(reader: Reader, frame: Uint8Array): void {
    reader.sentAt = performance.now();
    reader.listener.send(frame);
  }

  #watch(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#look(), PING_MS / 3);
    this.#timer.unref();
    this.#options.onWatched(true);
  }

  #unwatch(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#log.clear();
    this.#options.onWatched(false);
  }

  #look(): void {
    const now = performance.now();
    for (const reader of [...this.#readers]) {
      if (now > reader.until) reader.listener.end();
      else if (now - reader.sentAt > PING_MS) this.#send(reader, PING);
    }
    if (this.#readers.size > 0) this.#emptySince = now;
    else if (now - this.#emptySince > FORGET_MS) this.#unwatch();
  }
}

/** Whether somebody may know an event: everybody's, his own, or with `logs.read` any. */
export function maySee({ permissions, user, keyId }: Principal, owner: EventOwner): boolean {
  if (owner === undefined || permissions.has("logs.read")) return true;
  if (user !== undefined) return owner.userId === user.id;
  return keyId !== undefined && owner.keyId === keyId;
}

function frameOf(event: LiveEvent, id: string, before = ""): Uint8Array {
  return encoder.encode(`${before}id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
}
