import { z } from "zod";

const Logprobs = z.looseObject({ content: z.array(z.unknown()).nullish() });

/** The log probabilities of the tokens of a choice; an empty list where there are none. */
export function tokenLogprobs({ logprobs }: { logprobs?: unknown }): unknown[] {
  return Logprobs.safeParse(logprobs).data?.content ?? [];
}
