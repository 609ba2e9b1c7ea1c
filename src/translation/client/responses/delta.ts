import type { ChatChunk } from "../../../wire/chat.ts";
import { tokenLogprobs } from "../../chat/logprobs.ts";
import { reasoningText } from "../../chat/reasoning.ts";
import type { OutputItems } from "./output.ts";

type ChatDelta = ChatChunk["choices"][number]["delta"];

/** Appends what a chunk of a chat completion adds (reasoning, text, refusal, calls). */
export function appendChatDelta(output: OutputItems, delta: ChatDelta, logprobs: unknown): void {
  output.addReasoning(reasoningText(delta));
  output.addText(delta.content ?? "", tokenLogprobs({ logprobs }));
  output.addRefusal(delta.refusal ?? "");
  for (const call of delta.tool_calls ?? []) output.addToolCall(call);
}
