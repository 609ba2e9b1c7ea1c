import type { ChatChunk } from "../../../wire/chat.ts";
import { reasoningText, tokenLogprobs } from "../../chat/chunk.ts";
import type { OutputItems } from "./output.ts";
import type { ResponseProgress } from "./response.ts";

/** What a chunk of a chat completion adds. */
export type Delta = ChatChunk["choices"][number]["delta"];

/** Adds a piece of an answer to the output. */
export function appendChatDelta(output: OutputItems, delta: Delta, logprobs: unknown): void {
  output.think(reasoningText(delta));
  output.say(delta.content ?? "", tokenLogprobs({ logprobs }));
  output.refuse(delta.refusal ?? "");
  for (const piece of delta.tool_calls ?? []) output.call(piece);
}

/** What the end of a chat completion means for the response. */
export function responseEnd(
  finish: string | null | undefined,
): { status: "completed" | "incomplete" } & Pick<ResponseProgress, "reason"> {
  if (finish === "length") return { status: "incomplete", reason: "max_output_tokens" };
  if (finish === "content_filter") return { status: "incomplete", reason: "content_filter" };
  return { status: "completed" };
}
