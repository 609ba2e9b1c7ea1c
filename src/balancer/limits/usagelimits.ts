import type { LimitCounts } from "../../db/state/limitcounts.ts";
import type { Principal, PrincipalKey, PrincipalUser } from "../../http/server/principal.ts";
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
  /** For messages. */
  name: string;
  allowance: Allowance;
  /** Stores what it has used, once for all changes until that is written. */
  save(): void;
}

/** Those whose limits hold for the requests of a key or a session. */
interface Holders {
  user: PrincipalUser | undefined;
  all: Holder[];
  /** The tokens of a request have to be estimated. */
  countTokens: boolean;
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
  /** By key, else by user: these objects are others after each change. */
  readonly #holders = new WeakMap<PrincipalKey | PrincipalUser, Holders>();

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
  admit({ key, user }: Principal, estimate: () => number): Lease | undefined {
    const holder = key ?? user;
    if (holder === undefined) return undefined;
    let holders = this.#holders.get(holder);
    if (holders === undefined || holders.user !== user) {
      holders = this.#holdersOf(key, user);
      this.#holders.set(holder, holders);
    }
    const { all, countTokens } = holders;
    if (all.length === 0) return undefined;
    const nowMs = this.#now();
    const tokens = countTokens ? estimate() : 0;
    for (const { allowance, name } of all) {
      const refusal = allowance.refusal(tokens, nowMs);
      if (refusal !== undefined) throw limitError(refusal, name, headersOf(all, nowMs), nowMs);
    }
    for (const { allowance, save } of all) {
      allowance.begin(tokens, nowMs);
      save();
    }
    return new RequestLease(all, tokens, this.#now);
  }

  #holdersOf(key: PrincipalKey | undefined, user: PrincipalUser | undefined): Holders {
    const all: Holder[] = [];
    if (key !== undefined && isLimited(key.limits)) all.push(this.#holder("key", key));
    if (user !== undefined && isLimited(user.limits)) all.push(this.#holder("user", user));
    const countTokens = [key, user].some((one) => one?.limits.tokens_per_minute != null);
    return { user, all, countTokens };
  }

  #holder(kind: "key" | "user", { id, name, limits }: PrincipalKey | PrincipalUser): Holder {
    const subject = `${kind} ${id}`;
    let allowance = this.#allowances.get(subject);
    if (allowance === undefined) {
      allowance = new Allowance(limits, this.#stored.get(subject) ?? {}, this.#now());
      this.#stored.delete(subject);
      this.#allowances.set(subject, allowance);
    } else allowance.apply(limits, this.#now());
    return { name: `the ${kind} ${name}`, allowance, save: this.#saver(subject, allowance) };
  }

  #saver(subject: string, allowance: Allowance): () => void {
    let isWaiting = false;
    const state = () => {
      isWaiting = false;
      return allowance.state;
    };
    return () => {
      if (isWaiting) return;
      isWaiting = true;
      this.#store.put(subject, state);
    };
  }
}

class RequestLease implements Lease {
  readonly #holders: Holder[];
  readonly #estimate: number;
  readonly #now: () => number;
  #hasEnded = false;
  #isSettled = false;

  constructor(holders: Holder[], estimate: number, now: () => number) {
    this.#holders = holders;
    this.#estimate = estimate;
    this.#now = now;
  }

  headers(): Record<string, string> {
    return headersOf(this.#holders, this.#now());
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const { allowance } of this.#holders) allowance.end();
  }

  settle(used: { tokens: number; costMicros: number }): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const nowMs = this.#now();
    for (const { allowance, save } of this.#holders) {
      allowance.settle(this.#estimate, used, nowMs);
      save();
    }
  }
}

function isLimited(limits: Limits): boolean {
  for (const name in limits) {
    if (name !== "priority" && limits[name as keyof Limits] !== null) return true;
  }
  return false;
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
