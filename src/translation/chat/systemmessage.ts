import type { ChatMessage, ChatPart } from "../../wire/chat.ts";

type Content = string | ChatPart[];

/**
 * The same conversation with one system message, which stands first: what system and developer say
 * anywhere, joined by line feeds. Many chat templates (Qwen's, Gemma's, Mistral's) refuse a second
 * one, or one that is not the first. Only what alone stands between two turns of the model, or
 * behind its last one, becomes a message of the user: without it, the model would go on with what
 * it said, as if that was the beginning of its answer.
 */
export function withOneSystemMessage(messages: readonly ChatMessage[]): ChatMessage[] {
  const said: Content[] = [];
  const others: ChatMessage[] = [];
  let run: Content[] = [];
  const endRun = (next: ChatMessage | undefined) => {
    const isAlone = next === undefined || next.role === "assistant";
    const content = run.reduce(joined, "");
    if (content.length > 0 && isAlone && others.at(-1)?.role === "assistant") {
      others.push({ role: "user", content });
    } else {
      said.push(...run);
    }
    run = [];
  };
  for (const message of messages) {
    if (message.role === "system" || message.role === "developer") {
      run.push(message.content);
    } else {
      endRun(message);
      others.push(message);
    }
  }
  endRun(undefined);
  const [first, ...more] = said;
  if (first === undefined) return others;
  return [{ role: "system", content: more.reduce(joined, first) }, ...others];
}

/** Parts stay parts, since a string cannot hold those that are no text. */
function joined(before: Content, after: Content): Content {
  if (before.length === 0) return after;
  if (after.length === 0) return before;
  if (typeof before === "string" && typeof after === "string") return `${before}\n${after}`;
  return [...partsOf(before), ...partsOf(after)];
}

function partsOf(content: Content): ChatPart[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}
