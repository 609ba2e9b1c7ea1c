import { placeOf } from "./place.ts";

/** Who tries to log in, and from where. */
export interface LoginTry {
  /** The user's id, or whatever name was sent that is nobody's. */
  account: string;
  address: string | undefined;
}

/** A try that may go on. It counts as failed until it has succeeded. */
export interface GrantedTry {
  succeeded(): void;
  /** The wait begins now: looking at a password takes its time. */
  failed(now?: number): void;
}

interface Failures {
  count: number;
  /** When the last one began or ended, unix ms. */
  at: number;
}

/** How many failures are free, and how long the longest wait between further ones is. */
interface Patience {
  free: number;
  delayMsMax: number;
}

/** A short longest wait: a stranger must not keep the owner out. It allows 1440 guesses a day. */
const OF_ACCOUNT: Patience = { free: 5, delayMsMax: 60_000 };
/** Several people may share one. */
const OF_ADDRESS: Patience = { free: 20, delayMsMax: 900_000 };
const FIRST_DELAY_MS = 2000;
const FORGET_MS = 3_600_000;
const ENTRIES_MAX = 10_000;

/**
 * Slows the guessing of passwords down:
 *
 * 1. Failures are counted by address and by account; by both together for an address from which the
 *    account's owner has logged in before, so that failures from elsewhere do not keep him out.
 * 2. Beyond the free ones, each doubles the wait before the next try, up to the longest.
 * 3. A try during a wait is refused and counts for nothing: whoever waits gets his try.
 * 4. Success forgets the failures of the account; of those of the address only the try's own, else
 *    an account of one's own would be a way to go on guessing others'.
 * 5. After an hour without another try, all is forgotten.
 *
 * Tries count when they begin, or many at once would be one. What is remembered is bounded.
 */
export class LoginThrottle {
  readonly #failures = new Map<string, Failures>();
  readonly #familiar = new Map<string, true>();

  /** Says that the account's owner has logged in from this address before. */
  remember({ account, address }: LoginTry): void {
    setNewest(this.#familiar, pairOf(account, address), true);
  }

  /** Begins a try at `now`, unix ms. Refused: how long to wait. */
  begin(given: LoginTry, now = Date.now()): GrantedTry | { waitMs: number } {
    const pair = pairOf(given.account, given.address);
    const account = this.#familiar.has(pair) ? `pair ${pair}` : `account ${given.account}`;
    const address = `address ${placeOf(given.address)}`;
    const waitMs = Math.max(
      this.#waitMs(account, OF_ACCOUNT, now),
      this.#waitMs(address, OF_ADDRESS, now),
    );
    if (waitMs > 0) return { waitMs };
    this.#count(account, now);
    this.#count(address, now);
    return {
      succeeded: () => {
        this.#failures.delete(account);
        const failures = this.#failures.get(address);
        if (failures !== undefined) failures.count -= 1;
        this.remember(given);
      },
      failed: (end = Date.now()) => {
        for (const key of [account, address]) {
          const failures = this.#failures.get(key);
          if (failures !== undefined) failures.at = end;
        }
      },
    };
  }

  #waitMs(key: string, { free, delayMsMax }: Patience, now: number): number {
    const failures = this.#failures.get(key);
    if (failures === undefined || failures.count < free) return 0;
    const delayMs = Math.min(delayMsMax, FIRST_DELAY_MS * 2 ** Math.min(failures.count - free, 30));
    return isOver(failures, now) ? 0 : Math.max(0, failures.at + delayMs - now);
  }

  #count(key: string, now: number): void {
    const failures = this.#failures.get(key);
    const before = failures === undefined || isOver(failures, now) ? 0 : failures.count;
    setNewest(this.#failures, key, { count: before + 1, at: now });
  }
}

function isOver({ at }: Failures, now: number): boolean {
  // A clock that was set back must not make anybody wait for long.
  return now - at >= FORGET_MS || now < at;
}

function pairOf(account: string, address: string | undefined): string {
  return `${account} ${placeOf(address)}`;
}

/** Sets an entry; the one that was set longest ago makes room for it. */
function setNewest<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= ENTRIES_MAX) return;
  const [oldest = ""] = map.keys();
  map.delete(oldest);
}
