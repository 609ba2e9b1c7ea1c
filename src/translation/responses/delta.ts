import type { ChatChunk } from "../../wire/chat.ts";
import { logprobsOf, thoughtOf } from "../chatevent.ts";
import type { Outcome } from "./envelope.ts";
import type { Output } from "./output.ts";

/** What a chunk of a chat completion adds. */
export type Delta = ChatChunk["choices"][number]["delta"];

/** Adds a piece of an answer to the output. */
export function readDelta(output: Output, delta: Delta, logprobs: unknown): void {
  output.think(thoughtOf(delta));
  output.say(delta.content ?? "", logprobsOf({ logprobs }));
  output.refuse(delta.refusal ?? "");
  for (const { index, id, function: piece } of delta.tool_calls ?? []) {
    output.call(index, { id, ...piece });
  }
}

/** What the end of a chat completion means for the response. */
export function outcomeOf(
  finish: string | null | undefined,
): { status: "completed" | "incomplete" } & Pick<Outcome, "reason"> {
  if (finish === "length") return { status: "incomplete", reason: "max_output_tokens" };
  if (finish === "content_filter") return { status: "incomplete", reason: "content_filter" };
  return { status: "completed" };
}
