import { keep, kept } from "../../app/storage.ts";
import { openStore } from "./browserstore.ts";
import { askChat } from "./chat.ts";
import { type Conversation, newConversation } from "./conversation.ts";
import { Room } from "./room.ts";
import type { ConversationHead, ConversationStore } from "./store.ts";
import { Writer } from "./writer.ts";

export interface ShelfState {
  /** Those in which something was said, the newest first. */
  heads: readonly ConversationHead[];
  /** The open conversation; undefined until it is loaded. */
  room: Room | undefined;
  /** Why the last change could not be kept. */
  fault: unknown;
}

/** What an address asks for; "" for what it does not say. */
export interface Wanted {
  chat: string;
  model: string;
}

/** A reader's conversations in this browser, one of which is open. */
export class Shelf {
  #state: ShelfState = { heads: [], room: undefined, fault: undefined };
  readonly #store: ConversationStore;
  readonly #writer: Writer;
  readonly #lastName: string;
  readonly #channel: BroadcastChannel;
  readonly #listeners = new Set<() => void>();

  constructor(reader: string, store: ConversationStore) {
    this.#store = store;
    this.#lastName = `playground.${reader}`;
    // Other pages of the same reader keep conversations in the same place.
    this.#channel = new BroadcastChannel(this.#lastName);
    this.#channel.onmessage = () => void this.#refresh();
    this.#writer = new Writer({
      store,
      onKept: () => this.#changed(),
      onFailed: (fault) => this.#set({ fault }),
    });
    addEventListener("pagehide", () => this.#state.room?.keepNow());
    void this.#refresh();
  }

  get state(): ShelfState {
    return this.#state;
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /**
   * Opens what an address asks for:
   *
   * 1. the conversation that it names, if it is kept; with its model, if it names one
   * 2. with a model alone: the last conversation if nothing was said in it, else a new one
   * 3. the last conversation, else a new one
   */
  async enter({ chat, model }: Wanted): Promise<void> {
    const id = chat === "" ? kept(this.#lastName) : chat;
    const found = id === undefined ? undefined : await this.load(id);
    const isOther = chat === "" && model !== "" && (found?.turns.length ?? 0) > 0;
    const conversation = found === undefined || isOther ? newConversation(found) : found;
    this.#open(conversation);
    if (model === "" || conversation.targets[0]?.model === model) return;
    const [, ...others] = conversation.targets;
    this.#state.room?.change({ targets: [{ model, endpoint: "" }, ...others] });
  }

  async open(id: string): Promise<void> {
    const found = await this.load(id);
    if (found === undefined) await this.#refresh();
    else this.#open(found);
  }

  /** Begins another conversation, which asks as the open one does. */
  create(): void {
    this.#open(newConversation(this.#state.room?.state.conversation));
  }

  async load(id: string): Promise<Conversation | undefined> {
    const own = this.#state.room?.state.conversation;
    if (own?.id === id) return own;
    await this.#writer.written();
    return await this.#store.load(id);
  }

  async rename(id: string, title: string): Promise<void> {
    const room = this.#state.room;
    if (room?.state.conversation.id === id) return room.change({ title });
    const found = await this.load(id);
    if (found !== undefined) await this.add([{ ...found, title }]);
  }

  async remove(id: string): Promise<void> {
    const { room } = this.#state;
    if (room?.state.conversation.id === id) {
      room.abandon();
      this.create();
    }
    await this.#writer.written();
    await this.#store.remove(id);
    this.#changed();
  }

  /** Keeps conversations, none of which is open; one with the same id is replaced. */
  async add(conversations: readonly Conversation[]): Promise<void> {
    for (const conversation of conversations) await this.#store.save(conversation);
    this.#changed();
  }

  search(text: string): Promise<Set<string>> {
    return this.#store.search(text);
  }

  #open(conversation: Conversation): void {
    const { room } = this.#state;
    keep(this.#lastName, conversation.id);
    if (room?.state.conversation.id === conversation.id) return;
    room?.stop();
    const parts = { ask: askChat, keep: (changed: Conversation) => this.#writer.write(changed) };
    this.#set({ room: new Room(conversation, parts) });
  }

  #changed(): void {
    if (this.#state.fault !== undefined) this.#set({ fault: undefined });
    this.#channel.postMessage("");
    void this.#refresh();
  }

  async #refresh(): Promise<void> {
    this.#set({ heads: await this.#store.heads() });
  }

  #set(changes: Partial<ShelfState>): void {
    this.#state = { ...this.#state, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

const shelves = new Map<string, Promise<Shelf>>();

/** The reader's shelf; answers go on in it while he looks at other screens. */
export function shelfOf(reader: string): Promise<Shelf> {
  let shelf = shelves.get(reader);
  if (shelf === undefined) {
    shelf = openStore(reader).then((store) => new Shelf(reader, store));
    shelves.set(reader, shelf);
  }
  return shelf;
}
