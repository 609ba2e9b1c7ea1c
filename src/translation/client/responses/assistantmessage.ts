import type { ChatMessage, ChatPart, ToolCall } from "../../../wire/chat.ts";

/** One turn of the model, as it is put together out of its items. */
export class AssistantMessage {
  readonly #thoughts: string[] = [];
  readonly #parts: ChatPart[] = [];
  readonly #calls: ToolCall[] = [];
  #hasSpoken = false;

  /** It said something and called nothing: what follows is another turn. */
  get isAnswered(): boolean {
    return this.#hasSpoken && this.#calls.length === 0;
  }

  think(text: string): void {
    if (text !== "") this.#thoughts.push(text);
  }

  say(parts: readonly ChatPart[]): void {
    this.#hasSpoken = true;
    this.#parts.push(...parts);
  }

  call(call: ToolCall): void {
    this.#calls.push(call);
  }

  /** The message of the turn; undefined if there was none. */
  message(): ChatMessage | undefined {
    const calls = this.#calls;
    if (!this.#hasSpoken && calls.length === 0 && this.#thoughts.length === 0) return undefined;
    const refusal = this.#parts.flatMap((part) => (part.type === "refusal" ? part.refusal : []));
    return {
      role: "assistant",
      content: this.#content(),
      ...(refusal.length === 0 ? {} : { refusal: refusal.join("") }),
      ...(this.#thoughts.length === 0 ? {} : { reasoning_content: this.#thoughts.join("\n") }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
  }

  /** Null only beside calls or a refusal: many servers want a content. */
  #content(): string | ChatPart[] | null {
    const parts = this.#parts.filter(({ type }) => type !== "refusal");
    const [first] = parts;
    if (first === undefined) {
      return this.#calls.length === 0 && this.#parts.length === 0 ? "" : null;
    }
    return parts.length === 1 && first.type === "text" ? first.text : parts;
  }
}
