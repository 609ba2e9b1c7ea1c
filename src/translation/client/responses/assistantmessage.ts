import type { ChatMessage, ChatPart, ToolCall } from "../../../wire/chat.ts";

/** Builds one message of the assistant out of the items that belong to it. */
export class AssistantMessage {
  readonly #reasoning: string[] = [];
  readonly #parts: ChatPart[] = [];
  readonly #calls: ToolCall[] = [];
  #hasContent = false;

  /** Has content and no calls: the next item of the model begins another message. */
  get isComplete(): boolean {
    return this.#hasContent && this.#calls.length === 0;
  }

  addReasoning(text: string): void {
    if (text !== "") this.#reasoning.push(text);
  }

  addContent(parts: readonly ChatPart[]): void {
    this.#hasContent = true;
    this.#parts.push(...parts);
  }

  addToolCall(call: ToolCall): void {
    this.#calls.push(call);
  }

  /** The message; undefined if no item was added. */
  chatMessage(): ChatMessage | undefined {
    const calls = this.#calls;
    const reasoning = this.#reasoning;
    if (!this.#hasContent && calls.length === 0 && reasoning.length === 0) return undefined;
    const refusals = this.#parts.flatMap((part) => (part.type === "refusal" ? part.refusal : []));
    return {
      role: "assistant",
      content: this.#content(),
      ...(refusals.length === 0 ? {} : { refusal: refusals.join("") }),
      ...(reasoning.length === 0 ? {} : { reasoning_content: reasoning.join("\n") }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
  }

  /** Null only beside calls or a refusal: many servers require a content. */
  #content(): string | ChatPart[] | null {
    const parts = this.#parts.filter(({ type }) => type !== "refusal");
    const [first] = parts;
    if (first === undefined) {
      return this.#calls.length === 0 && this.#parts.length === 0 ? "" : null;
    }
    return parts.length === 1 && first.type === "text" ? first.text : parts;
  }
}
