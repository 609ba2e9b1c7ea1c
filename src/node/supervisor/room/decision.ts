/** An engine that takes memory, as the decision sees it. */
export interface Tenant {
  key: string;
  /** Memory that it takes, in bytes. */
  bytes: number;
  /** Requests use it, or wait for it. */
  isBusy: boolean;
  /** It stays, whoever else wants its memory. */
  isPinned: boolean;
  /** When a request used it last, in ms. */
  usedMs: number;
  /** How long its load took, in ms. */
  loadMs: number;
}

export interface RoomQuestion {
  /** Memory that the engine to be started will take, in bytes. */
  needBytes: number;
  /** Memory that no engine has, in bytes; negative if they have more than they should. */
  freeBytes: number;
  tenants: readonly Tenant[];
  /** The memory is only guessed: what needs more than all of it is started alone. */
  isGuess: boolean;
  /** Most engines at the same time. */
  tenantsMax: number;
  nowMs: number;
}

/** What has to be done before an engine is started. */
export type RoomDecision =
  | { do: "start" }
  /** End these first. */
  | { do: "end"; keys: string[] }
  /** The memory of some that work now would be needed: wait for one of these to be done. */
  | { do: "wait"; keys: string[] }
  /** No more than `bytes` can be had, however long it waits. */
  | { do: "refuse"; bytes: number };

/**
 * Whether there is room for one more engine.
 *
 * | what is free                                   | decision                                    |
 * |------------------------------------------------|---------------------------------------------|
 * | enough                                         | start                                       |
 * | enough once idle engines are ended             | end as few as will do                       |
 * | enough once busy ones are done and ended       | wait for these                              |
 * | never: pinned engines have it, or nobody       | refuse; of a guess: start once it is alone  |
 *
 * Of the idle ones those go first that cost least to be brought back, by the time that nobody has
 * needed them: load time over time since the last use. Busy and pinned engines are never ended.
 */
export function decideRoom(asked: RoomQuestion): RoomDecision {
  const { tenants, freeBytes, nowMs } = asked;
  const movable = tenants.filter(({ isPinned }) => !isPinned);
  const mostBytes = freeBytes + bytesOf(movable);
  const needBytes = asked.isGuess ? Math.min(asked.needBytes, mostBytes) : asked.needBytes;
  const question = { ...asked, needBytes };
  if (isEnough(question, [])) return { do: "start" };
  const idle = movable.filter(({ isBusy }) => !isBusy);
  const worth = ({ loadMs, usedMs }: Tenant) => (loadMs + 1) / (Math.max(0, nowMs - usedMs) + 1);
  const byWorth = idle.toSorted((a, b) => worth(a) - worth(b));
  const ended: Tenant[] = [];
  for (const tenant of byWorth) {
    ended.push(tenant);
    if (isEnough(question, ended))
      return { do: "end", keys: keysOf(withoutNeedless(question, ended)) };
  }
  if (isEnough(question, movable)) {
    return { do: "wait", keys: keysOf(movable.filter(({ isBusy }) => isBusy)) };
  }
  return { do: "refuse", bytes: Math.max(0, mostBytes) };
}

/** Spares those of the chosen that the others make needless, the dearest first. */
function withoutNeedless(question: RoomQuestion, ended: Tenant[]): Tenant[] {
  let chosen = ended;
  for (const tenant of ended.toReversed()) {
    const others = chosen.filter((one) => one !== tenant);
    if (isEnough(question, others)) chosen = others;
  }
  return chosen;
}

function isEnough(question: RoomQuestion, ended: readonly Tenant[]): boolean {
  const { needBytes, freeBytes, tenants, tenantsMax } = question;
  const isPlace = tenants.length - ended.length < tenantsMax;
  return isPlace && needBytes <= freeBytes + bytesOf(ended);
}

function bytesOf(tenants: readonly Tenant[]): number {
  return tenants.reduce((sum, { bytes }) => sum + bytes, 0);
}

function keysOf(tenants: readonly Tenant[]): string[] {
  return tenants.map(({ key }) => key);
}
