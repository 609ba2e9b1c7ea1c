import { bytesIn, type Memory, mapMemory, sumOf, withMore } from "./memory.ts";

/** An engine that takes memory, as the decision sees it. */
export interface Tenant {
  key: string;
  memory: Memory;
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
  /** What the engine to be started will take. */
  need: Memory;
  /** What no engine has, in each memory that is bounded; negative if they have more than it. */
  free: Memory;
  tenants: readonly Tenant[];
  /** Memories whose size is only guessed: what needs more than all of one is started alone. */
  guessed: ReadonlySet<string>;
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
  /**
   * However long it waits, of this memory no more than `bytes` can be had. Without memory: pinned
   * engines have all places.
   */
  | { do: "refuse"; memory?: string; bytes: number };

/**
 * Whether there is room for one more engine.
 *
 * | what is free, in each memory that it needs     | decision                                    |
 * |------------------------------------------------|---------------------------------------------|
 * | enough                                         | start                                       |
 * | enough once idle engines are ended             | end as few as will do                       |
 * | enough once busy ones are done and ended       | wait for these                              |
 * | never: pinned engines have it, or nobody       | refuse; of a guess: start once it is alone  |
 *
 * Of the idle ones those go first that cost least to be brought back, by the time that nobody has
 * needed them: load time over time since the last use; and none whose memory is not the one that
 * is short. Busy and pinned engines are never ended.
 */
export function decideRoom(asked: RoomQuestion): RoomDecision {
  const { tenants, free, guessed, nowMs } = asked;
  const movable = tenants.filter(({ isPinned }) => !isPinned);
  const most = sumIn(free, movable);
  // Of a guess no more is needed than there can be.
  const needed = mapMemory(most, (had, name) => {
    const bytes = bytesIn(asked.need, name);
    return guessed.has(name) ? Math.min(bytes, had) : bytes;
  });
  const question = { ...asked, needed };
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
  const short = Object.entries(most).find(([name, had]) => (needed[name] ?? 0) > had);
  if (short === undefined) return { do: "refuse", bytes: 0 };
  return { do: "refuse", memory: short[0], bytes: Math.max(0, short[1]) };
}

/** With what is needed in each memory that is bounded. */
type Question = RoomQuestion & { needed: Memory };

/** Spares those of the chosen that the others make needless, the dearest first. */
function withoutNeedless(question: Question, ended: Tenant[]): Tenant[] {
  let chosen = ended;
  for (const tenant of ended.toReversed()) {
    const others = chosen.filter((one) => one !== tenant);
    if (isEnough(question, others)) chosen = others;
  }
  return chosen;
}

function isEnough(question: Question, ended: readonly Tenant[]): boolean {
  const { needed, free, tenants, tenantsMax } = question;
  const had = Object.entries(sumIn(free, ended));
  const isPlace = tenants.length - ended.length < tenantsMax;
  const isThere = ([name, bytes]: [string, number]) => {
    const wanted = needed[name] ?? 0;
    return wanted <= 0 || wanted <= bytes;
  };
  return isPlace && had.every(isThere);
}

/** What is free with what these have. */
function sumIn(free: Memory, tenants: readonly Tenant[]): Memory {
  return withMore(free, sumOf(tenants.map(({ memory }) => memory)));
}

function keysOf(tenants: readonly Tenant[]): string[] {
  return tenants.map(({ key }) => key);
}
