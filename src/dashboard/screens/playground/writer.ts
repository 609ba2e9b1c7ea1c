import type { Conversation } from "./conversation.ts";
import type { ConversationStore } from "./store.ts";

export interface WriterParts {
  store: Pick<ConversationStore, "save">;
  /** Something was kept. */
  onKept(): void;
  /** Keeping failed, and had not failed before. */
  onFailed(error: unknown): void;
}

/** Keeps conversations one after the other; of each only the latest state that waits. */
export class Writer {
  readonly #parts: WriterParts;
  readonly #waiting = new Map<string, Conversation>();
  #writing: Promise<void> | undefined;
  #hasFailed = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  write(conversation: Conversation): void {
    this.#waiting.set(conversation.id, conversation);
    this.#writing ??= this.#writeAll();
  }

  /** Settles when nothing waits. */
  async written(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (const [id, conversation] of this.#waiting) {
      this.#waiting.delete(id);
      try {
        await this.#parts.store.save(conversation);
        this.#hasFailed = false;
        this.#parts.onKept();
      } catch (error) {
        if (!this.#hasFailed) this.#parts.onFailed(error);
        this.#hasFailed = true;
      }
    }
    this.#writing = undefined;
  }
}
