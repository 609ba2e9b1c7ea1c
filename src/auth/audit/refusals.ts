import type { AuditEvent } from "../../db/audit/record.ts";

/** Refusals of one kind: the same address, route and principal. */
interface Entry {
  event: AuditEvent;
  /** Those that are not recorded yet. */
  count: number;
  windowMs: number;
  dueAt: number;
}

/** The first one of a kind is recorded so soon. */
const FIRST_MS = 1000;
const WINDOW_MS = 60_000;
const WINDOW_MS_MAX = 3_600_000;
const ENTRIES_MAX = 256;
/** Records that may be made at once, and how soon another one may. */
const BUDGET = 1000;
const REFILL_MS = 30_000;

/**
 * Makes few events of many refusals, since anybody can cause them:
 *
 * 1. The first one of a kind is an event within a second.
 * 2. What follows within a minute is one event with a count; while they go on, each window is twice
 *    as long as the one before, up to an hour.
 * 3. Beyond 256 kinds at a time, or a thousand events and one more every 30 s, all the rest of an
 *    hour is one event, which names nobody.
 */
export class Refusals {
  readonly #entries = new Map<string, Entry>();
  #others: Entry | undefined;
  #budget = BUDGET;
  #refilledAt = 0;

  /** A refusal at its `time`. */
  add(event: AuditEvent): void {
    const { action, address, route, userId, keyId } = event;
    const kind = JSON.stringify([action, address, route, userId, keyId]);
    const entry = this.#entries.get(kind);
    if (entry !== undefined) {
      if (entry.count === 0) entry.event = event;
      entry.count += 1;
    } else if (this.#entries.size < ENTRIES_MAX) {
      const dueAt = event.time + FIRST_MS;
      this.#entries.set(kind, { event, count: 1, windowMs: WINDOW_MS / 2, dueAt });
    } else this.#addOther(event, 1);
  }

  /** The events that are due. */
  due(now: number): AuditEvent[] {
    this.#refill(now);
    const events: AuditEvent[] = [];
    for (const [kind, entry] of this.#entries) {
      if (now < entry.dueAt) continue;
      if (entry.count === 0) this.#entries.delete(kind);
      else if (this.#budget > 0) events.push(this.#take(entry, now));
      else {
        this.#addOther({ ...entry.event, time: now }, entry.count);
        this.#entries.delete(kind);
      }
    }
    if (this.#others !== undefined && now >= this.#others.dueAt) {
      events.push({ ...this.#others.event, count: this.#others.count });
      this.#others = undefined;
    }
    return events;
  }

  /** All that are not recorded yet, at the end. */
  rest(): AuditEvent[] {
    const entries = [...this.#entries.values(), ...(this.#others ? [this.#others] : [])];
    this.#entries.clear();
    this.#others = undefined;
    const counted = entries.filter(({ count }) => count > 0);
    return counted.map(({ event, count }) => ({ ...event, count }));
  }

  #take(entry: Entry, now: number): AuditEvent {
    const event = { ...entry.event, count: entry.count };
    entry.count = 0;
    entry.windowMs = Math.min(WINDOW_MS_MAX, entry.windowMs * 2);
    entry.dueAt = now + entry.windowMs;
    this.#budget -= 1;
    return event;
  }

  #addOther({ time, action, status }: AuditEvent, count: number): void {
    if (this.#others === undefined) {
      const event: AuditEvent = { ...NOBODY, time, action, status };
      this.#others = { event, count: 0, windowMs: WINDOW_MS_MAX, dueAt: time + WINDOW_MS_MAX };
    }
    this.#others.count += count;
  }

  #refill(now: number): void {
    if (this.#refilledAt === 0) this.#refilledAt = now;
    const more = Math.floor((now - this.#refilledAt) / REFILL_MS);
    if (more <= 0) return;
    this.#budget = Math.min(BUDGET, this.#budget + more);
    this.#refilledAt += more * REFILL_MS;
  }
}

const NOBODY = {
  ...{ route: null, path: null, subject: null, details: '{"others":true}' },
  ...{ actorKind: "anonymous", userId: null, userName: null, keyId: null, keyName: null },
  ...{ address: null, requestId: null, count: 1 },
};
