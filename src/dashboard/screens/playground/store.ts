import { Conversation, titleOf } from "./conversation.ts";

/** What the list of conversations shows of one. */
export interface ConversationHead {
  id: string;
  title: string;
  updatedAt: number;
  turns: number;
  /** About what it takes in the browser. */
  chars: number;
}

/** Where a reader's conversations are kept. */
export interface ConversationStore {
  /** Those in which something was said, the newest first. */
  heads(): Promise<ConversationHead[]>;
  load(id: string): Promise<Conversation | undefined>;
  /** Keeps one; what is too much goes, the oldest first. */
  save(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
  /** Ids of those in whose titles and messages a text stands, whatever its case. */
  search(text: string): Promise<Set<string>>;
}

export const CONVERSATIONS_MAX = 300;
/** All conversations together; texts take one or two bytes a character. */
export const CHARS_MAX = 100_000_000;

/** What is told of a conversation in the list. */
export function headOf(conversation: Conversation): ConversationHead {
  const { id, updatedAt, turns, settings } = conversation;
  const chars = charsIn(turns) + charsIn(settings);
  return { id, title: titleOf(conversation), updatedAt, turns: turns.length, chars };
}

/** All texts in a value; writing it as JSON would copy them all. */
function charsIn(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, one) => sum + charsIn(one), 0);
}

/**
 * Which conversations go so that `saved` has room: empty ones, and the oldest beyond the number and
 * the size that are kept. It itself stays.
 */
export function surplusOf(heads: readonly ConversationHead[], saved: ConversationHead): string[] {
  const others = heads
    .filter(({ id }) => id !== saved.id)
    .toSorted((a, b) => b.updatedAt - a.updatedAt);
  let chars = saved.chars;
  let kept = 1;
  const surplus: string[] = [];
  for (const head of others) {
    const fits = kept < CONVERSATIONS_MAX && chars + head.chars <= CHARS_MAX;
    if (head.turns === 0 || !fits) {
      surplus.push(head.id);
      continue;
    }
    kept += 1;
    chars += head.chars;
  }
  return surplus;
}

/** Whether a text stands in a conversation; `wanted` is in lower case. */
export function isIn({ title, turns }: Conversation, wanted: string): boolean {
  const has = (text: string) => text.toLowerCase().includes(wanted);
  return (
    has(title) ||
    turns.some(
      ({ text, lanes }) =>
        has(text) || lanes.some(({ steps }) => steps.some(({ content }) => has(content))),
    )
  );
}

/** Keeps conversations as long as the page is open, where a browser keeps nothing. */
export class MemoryStore implements ConversationStore {
  readonly #kept = new Map<string, Conversation>();

  async heads(): Promise<ConversationHead[]> {
    return listed(Array.from(this.#kept.values(), headOf));
  }

  async load(id: string): Promise<Conversation | undefined> {
    return this.#kept.get(id);
  }

  async save(conversation: Conversation): Promise<void> {
    this.#kept.set(conversation.id, conversation);
    const heads = Array.from(this.#kept.values(), headOf);
    for (const id of surplusOf(heads, headOf(conversation))) this.#kept.delete(id);
  }

  async remove(id: string): Promise<void> {
    this.#kept.delete(id);
  }

  async search(text: string): Promise<Set<string>> {
    const wanted = text.toLowerCase();
    const found = [...this.#kept.values()].filter((one) => isIn(one, wanted));
    return new Set(found.map(({ id }) => id));
  }
}

/** Those that the list shows, in its order. */
export function listed(heads: readonly ConversationHead[]): ConversationHead[] {
  return heads.filter(({ turns }) => turns > 0).toSorted((a, b) => b.updatedAt - a.updatedAt);
}

/** What was kept, unless an older page kept it otherwise. */
export function parsedConversation(value: unknown): Conversation | undefined {
  return Conversation.safeParse(value).data;
}
