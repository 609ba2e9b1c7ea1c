import type { LimitCounts } from "../../db/state/limitcounts.ts";
import type { Principal } from "../../http/server/principal.ts";
import type { Limits } from "../../wire/limits.ts";
import { Allowance, type AllowanceState, type Remaining } from "./allowance.ts";
import { limitError, rateLimitHeaders } from "./refusal.ts";

/** What a request has taken of limits. */
export interface Lease {
  /** For its answer. */
  headers(): Record<string, string>;
  /** It has ended. Idempotent. */
  end(): void;
  /** What it used instead of what was estimated. Idempotent. */
  settle(used: { tokens: number; costMicros: number }): void;
}

/** Somebody with limits. */
interface Holder {
  /** `key ID` or `user ID`. */
  subject: string;
  /** For messages. */
  name: string;
  allowance: Allowance;
}

/**
 * Keeps keys and users within their limits (`Allowance`), both of a request at once. What was used
 * is stored within a fraction of a second, so a restart loses nothing of it.
 */
export class UsageLimits {
  readonly #store: LimitCounts;
  readonly #now: () => number;
  readonly #allowances = new Map<string, Allowance>();
  readonly #stored: Map<string, AllowanceState>;

  private constructor(store: LimitCounts, stored: Map<string, AllowanceState>, now: () => number) {
    this.#store = store;
    this.#stored = stored;
    this.#now = now;
  }

  /** Reads what was used before. Throws `StorageError`. */
  static async open(store: LimitCounts, now = Date.now): Promise<UsageLimits> {
    return new UsageLimits(store, (await store.all()) as Map<string, AllowanceState>, now);
  }

  /**
   * Lets a request begin; undefined if nobody limits it. `estimate` is called for its tokens, where
   * these are limited. Throws 429 that names the limit.
   */
  admit(principal: Principal, estimate: () => number): Lease | undefined {
    const { key, user } = principal;
    if (!isLimited(key?.limits) && !isLimited(user?.limits)) return undefined;
    const nowMs = this.#now();
    const holders: Holder[] = [];
    if (key !== undefined) this.#add(holders, "key", key, nowMs);
    if (user !== undefined) this.#add(holders, "user", user, nowMs);
    const tokens = hasTokens(key?.limits) || hasTokens(user?.limits) ? estimate() : 0;
    for (const { allowance, name } of holders) {
      const refusal = allowance.refusal(tokens, nowMs);
      if (refusal !== undefined) throw limitError(refusal, name, headersOf(holders, nowMs), nowMs);
    }
    for (const { allowance } of holders) allowance.begin(tokens, nowMs);
    this.#save(holders);
    return this.#lease(holders, tokens);
  }

  #lease(holders: Holder[], estimate: number): Lease {
    let hasEnded = false;
    let isSettled = false;
    return {
      headers: () => headersOf(holders, this.#now()),
      end: () => {
        if (hasEnded) return;
        hasEnded = true;
        for (const { allowance } of holders) allowance.end();
      },
      settle: (used) => {
        if (isSettled) return;
        isSettled = true;
        for (const { allowance } of holders) allowance.settle(estimate, used, this.#now());
        this.#save(holders);
      },
    };
  }

  #add(
    holders: Holder[],
    kind: "key" | "user",
    { id, name, limits }: { id: string; name: string; limits: Limits },
    nowMs: number,
  ): void {
    if (!isLimited(limits)) return;
    const subject = `${kind} ${id}`;
    let allowance = this.#allowances.get(subject);
    if (allowance === undefined) {
      allowance = new Allowance(limits, this.#stored.get(subject) ?? {}, nowMs);
      this.#stored.delete(subject);
      this.#allowances.set(subject, allowance);
    } else allowance.apply(limits, nowMs);
    holders.push({ subject, name: `the ${kind} ${name}`, allowance });
  }

  #save(holders: Holder[]): void {
    for (const { subject, allowance } of holders) {
      this.#store.put(subject, () => allowance.state);
    }
  }
}

function isLimited(limits: Limits | undefined): boolean {
  if (limits === undefined) return false;
  for (const name in limits) {
    if (name !== "priority" && limits[name as keyof Limits] !== null) return true;
  }
  return false;
}

function hasTokens(limits: Limits | undefined): boolean {
  return limits !== undefined && limits.tokens_per_minute !== null;
}

/** Of several limits the one of which least is left. */
function headersOf(holders: Holder[], nowMs: number): Record<string, string> {
  let requests: Remaining | undefined;
  let tokens: Remaining | undefined;
  for (const { allowance } of holders) {
    const remaining = allowance.remaining(nowMs);
    requests = fewer(requests, remaining.requests);
    tokens = fewer(tokens, remaining.tokens);
  }
  return rateLimitHeaders(requests, tokens);
}

function fewer(a: Remaining | undefined, b: Remaining | undefined): Remaining | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.left < a.left ? b : a;
}
