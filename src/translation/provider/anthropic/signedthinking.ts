import { z } from "zod";
import { type AnswerBlock, RedactedThinkingBlock, ThinkingBlock } from "../../../wire/anthropic.ts";
import type { AnthropicBlock } from "./contentblocks.ts";

/**
 * The block with which a client can hand thinking back to Anthropic: thinking with its signature,
 * or redacted thinking. Undefined for every other block.
 */
export function signedThinkingBlock(block: AnswerBlock): object | undefined {
  const { type, thinking, signature, data } = block;
  if (type === "redacted_thinking" && data) return { type, data };
  if (type !== "thinking" || !signature) return undefined;
  return { type, thinking: thinking ?? "", signature };
}

const SignedBlocks = z.array(
  z.discriminatedUnion("type", [
    ThinkingBlock.extend({ signature: z.string().min(1) }),
    RedactedThinkingBlock,
  ]),
);

/**
 * The signed thinking that a client hands back in `thinking_blocks`. Anthropic takes no other
 * thinking, so `reasoning_content` alone is left out.
 */
export function readSignedThinking(thinkingBlocks: unknown): AnthropicBlock[] {
  return SignedBlocks.safeParse(thinkingBlocks).data ?? [];
}
