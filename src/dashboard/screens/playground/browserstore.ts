import type { Conversation, Picture } from "./conversation.ts";
import {
  type ConversationHead,
  type ConversationStore,
  headOf,
  isIn,
  listed,
  MemoryStore,
  parsedConversation,
  surplusOf,
} from "./store.ts";

const VERSION = 1;
const HEADS = "heads";
const CONVERSATIONS = "conversations";
/** Apart, because they are large and never change: by conversation and id. */
const PICTURES = "pictures";
const ALL = [HEADS, CONVERSATIONS, PICTURES];

interface KeptPicture extends Picture {
  conversation: string;
}

/** Opens what this browser keeps for a reader; what nobody keeps is gone with the page. */
export async function openStore(reader: string): Promise<ConversationStore> {
  try {
    const request = indexedDB.open(`llmlb.playground.${reader}`, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(HEADS, { keyPath: "id" });
      request.result.createObjectStore(CONVERSATIONS, { keyPath: "id" });
      request.result.createObjectStore(PICTURES, { keyPath: ["conversation", "id"] });
    };
    return new BrowserStore(await done(request));
  } catch {
    return new MemoryStore(); // a private window of some browsers
  }
}

class BrowserStore implements ConversationStore {
  readonly #database: IDBDatabase;
  /** Of each conversation, the pictures that are kept already. */
  readonly #pictures = new Map<string, Set<string>>();

  constructor(database: IDBDatabase) {
    this.#database = database;
    // Another page with a newer layout goes first.
    database.onversionchange = () => database.close();
  }

  async heads(): Promise<ConversationHead[]> {
    return listed(await this.#allHeads());
  }

  async load(id: string): Promise<Conversation | undefined> {
    const transaction = this.#database.transaction([CONVERSATIONS, PICTURES]);
    const [kept, pictures] = await Promise.all([
      done(transaction.objectStore(CONVERSATIONS).get(id)),
      done(transaction.objectStore(PICTURES).getAll(rangeOf(id)) as IDBRequest<KeptPicture[]>),
    ]);
    if (kept === undefined) return undefined;
    this.#pictures.set(id, new Set(pictures.map((one) => one.id)));
    const urls = new Map(pictures.map((one) => [one.id, one.url]));
    return parsedConversation(withUrls(kept as Conversation, ({ id: one }) => urls.get(one) ?? ""));
  }

  async save(conversation: Conversation): Promise<void> {
    const head = headOf(conversation);
    const known = this.#pictures.get(head.id) ?? new Set();
    const own = conversation.turns.flatMap(({ images }) => images);
    const transaction = this.#database.transaction(ALL, "readwrite");
    transaction.objectStore(HEADS).put(head);
    transaction.objectStore(CONVERSATIONS).put(withUrls(conversation, () => ""));
    const pictures = transaction.objectStore(PICTURES);
    for (const picture of own) {
      if (!known.has(picture.id)) pictures.put({ ...picture, conversation: head.id });
    }
    const ids = new Set(own.map(({ id }) => id));
    for (const id of known) if (!ids.has(id)) pictures.delete([head.id, id]);
    // All of it is on its way already: a page that is left now has kept it.
    transaction.commit();
    await ended(transaction);
    this.#pictures.set(head.id, ids);
    for (const id of surplusOf(await this.#allHeads(), head)) await this.remove(id);
  }

  async remove(id: string): Promise<void> {
    const transaction = this.#database.transaction(ALL, "readwrite");
    this.#removeIn(transaction, id);
    await ended(transaction);
  }

  async search(text: string): Promise<Set<string>> {
    const wanted = text.toLowerCase();
    const found = new Set<string>();
    const store = this.#database.transaction(CONVERSATIONS).objectStore(CONVERSATIONS);
    const request = store.openCursor();
    // One after the other: all of them at once may be a lot.
    await new Promise<void>((resolve, reject) => {
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor === null) return resolve();
        const { id } = cursor.value as Conversation;
        if (isIn(cursor.value as Conversation, wanted)) found.add(id);
        cursor.continue();
      };
    });
    return found;
  }

  #allHeads(): Promise<ConversationHead[]> {
    const heads = this.#database.transaction(HEADS).objectStore(HEADS);
    return done(heads.getAll() as IDBRequest<ConversationHead[]>);
  }

  #removeIn(transaction: IDBTransaction, id: string): void {
    transaction.objectStore(HEADS).delete(id);
    transaction.objectStore(CONVERSATIONS).delete(id);
    transaction.objectStore(PICTURES).delete(rangeOf(id));
    this.#pictures.delete(id);
  }
}

/** All pictures of a conversation: arrays sort behind texts. */
function rangeOf(conversation: string): IDBKeyRange {
  return IDBKeyRange.bound([conversation], [conversation, []]);
}

function withUrls(conversation: Conversation, urlOf: (picture: Picture) => string): Conversation {
  const turns = conversation.turns.map((turn) => ({
    ...turn,
    images: turn.images.map((picture) => ({ ...picture, url: urlOf(picture) })),
  }));
  return { ...conversation, turns };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
