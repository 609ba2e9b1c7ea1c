import type { GoogleLogprobs } from "../../../wire/google.ts";

/** The `logprobs` of a chat completion's choice for those of a candidate. */
export function chatLogprobsFromGoogle(logprobs: GoogleLogprobs): object {
  const { chosenCandidates, topCandidates } = logprobs;
  const content = chosenCandidates.map((chosen, i) => ({
    ...tokenLogprob(chosen),
    top_logprobs: (topCandidates[i]?.candidates ?? []).map(tokenLogprob),
  }));
  return { content, refusal: null };
}

function tokenLogprob({ token, logProbability }: { token: string; logProbability: number }) {
  return { token, logprob: logProbability, bytes: [...new TextEncoder().encode(token)] };
}
