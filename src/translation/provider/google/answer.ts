import type { ChatCompletion, ChatUsage } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import {
  GoogleAnswer,
  type GoogleAnswerPart,
  type GoogleCandidate,
  type GoogleLogprobs,
  type GoogleUsage,
} from "../../../wire/google.ts";
import { completionId, newId, unixTimeS } from "../../ids.ts";
import { thoughtSignatureField } from "./thoughtsignature.ts";

/** A completion made of Google's answer. Throws `upstream` for one that makes no sense. */
export function chatCompletionFromGoogle(json: unknown, model: string): ChatCompletion {
  const result = GoogleAnswer.safeParse(json);
  if (!result.success)
    throw unreadableGoogleAnswer("it is not what Google's API answers", result.error);
  const { candidates, promptFeedback, usageMetadata, responseId } = result.data;
  const blocked = promptFeedback?.blockReason;
  if (candidates.length === 0 && blocked === undefined)
    throw unreadableGoogleAnswer("it has no candidates");
  return {
    id: completionId(responseId),
    object: "chat.completion",
    created: unixTimeS(),
    model,
    choices:
      candidates.length > 0 || blocked === undefined
        ? candidates.map(choiceOf)
        : [{ index: 0, message: blockedPromptMessage(blocked), finish_reason: "content_filter" }],
    ...(usageMetadata ? { usage: chatUsageFromGoogle(usageMetadata) } : {}),
  };
}

/** What is said in place of an answer to a prompt that Google does not take. */
export function blockedPromptMessage(reason: string): {
  role: string;
  content: null;
  refusal: string;
} {
  return { role: "assistant", content: null, refusal: `Google blocked the prompt: ${reason}.` };
}

/** What one part of an answer adds to a message; nothing for what chats cannot say. */
export function chatPieceFromGoogle(part: GoogleAnswerPart): ChatPiece {
  const { text, thought, thoughtSignature: signature, functionCall: call, inlineData } = part;
  if (call !== undefined) {
    const args = JSON.stringify(call.args ?? {});
    const called = { name: call.name, arguments: args };
    const id = call.id ?? newId("call_");
    return {
      call: { id, type: "function", function: called, ...thoughtSignatureField(signature) },
    };
  }
  const sign = signature === undefined ? {} : { signature };
  if (inlineData !== undefined) {
    const url = `data:${inlineData.mimeType};base64,${inlineData.data}`;
    return { image: { type: "image_url", image_url: { url } }, ...sign };
  }
  if (text === undefined || text === "") return sign;
  return thought === true ? { thought: text, ...sign } : { text, ...sign };
}

/** What one part adds: one of these, perhaps with a signature. */
export interface ChatPiece {
  text?: string;
  thought?: string;
  call?: { id: string; type: "function"; function: { name: string; arguments: string } };
  /** As some servers answer with images that were generated. */
  image?: { type: "image_url"; image_url: { url: string } };
  signature?: string;
}

function choiceOf(candidate: GoogleCandidate): ChatCompletion["choices"][number] {
  const pieces = candidate.content.map(chatPieceFromGoogle);
  const text = pieces.map((piece) => piece.text ?? "").join("");
  const thought = pieces.map((piece) => piece.thought ?? "").join("");
  const calls = pieces.flatMap(({ call }) => (call === undefined ? [] : [call]));
  const images = pieces.flatMap(({ image }) => (image === undefined ? [] : [image]));
  const signature = pieces.findLast((piece) => piece.signature !== undefined)?.signature;
  return {
    index: candidate.index,
    message: {
      role: "assistant",
      content: text === "" && calls.length > 0 ? null : text,
      ...(thought === "" ? {} : { reasoning_content: thought }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
      ...(images.length === 0 ? {} : { images }),
      ...thoughtSignatureField(signature),
    },
    finish_reason: finishReasonFromGoogle(candidate, calls.length > 0),
    ...(candidate.logprobsResult
      ? { logprobs: chatLogprobsFromGoogle(candidate.logprobsResult) }
      : {}),
  };
}

const FINISHES = new Map([
  ["STOP", "stop"],
  ["MAX_TOKENS", "length"],
  ["SAFETY", "content_filter"],
  ["RECITATION", "content_filter"],
  ["LANGUAGE", "content_filter"],
  ["BLOCKLIST", "content_filter"],
  ["PROHIBITED_CONTENT", "content_filter"],
  ["SPII", "content_filter"],
  ["IMAGE_SAFETY", "content_filter"],
  ["IMAGE_PROHIBITED_CONTENT", "content_filter"],
  ["IMAGE_RECITATION", "content_filter"],
]);

/** The model tried to call something and failed: there is no answer, and a further try may help. */
const FAILED = /^(MALFORMED|UNEXPECTED|TOO_MANY|MISSING)_/;

/** Why the model stopped, in OpenAI's words. Throws `upstream` where that was its own failure. */
export function finishReasonFromGoogle(candidate: GoogleCandidate, hasCalls: boolean): string {
  const reason = candidate.finishReason ?? "STOP";
  if (FAILED.test(reason)) {
    const detail = candidate.finishMessage ? `: ${candidate.finishMessage.slice(0, 500)}` : "";
    throw unreadableGoogleAnswer(`the model failed with ${reason}${detail}`);
  }
  const finish = FINISHES.get(reason) ?? "stop";
  return finish === "stop" && hasCalls ? "tool_calls" : finish;
}

/** Google counts what was thought beside what was said; OpenAI within. */
export function chatUsageFromGoogle(usage: GoogleUsage): ChatUsage {
  const { cachedContentTokenCount: cached, thoughtsTokenCount: thoughts } = usage;
  const prompt = usage.promptTokenCount + (usage.toolUsePromptTokenCount ?? 0);
  const completion = usage.candidatesTokenCount + (thoughts ?? 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
    ...(thoughts === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: thoughts } }),
  };
}

/** OpenAI's form of the probabilities of tokens. */
export function chatLogprobsFromGoogle({
  chosenCandidates,
  topCandidates,
}: GoogleLogprobs): object {
  const content = chosenCandidates.map((chosen, at) => ({
    ...tokenOf(chosen),
    top_logprobs: (topCandidates[at]?.candidates ?? []).map(tokenOf),
  }));
  return { content, refusal: null };
}

function tokenOf({ token, logProbability }: { token: string; logProbability: number }) {
  return { token, logprob: logProbability, bytes: [...new TextEncoder().encode(token)] };
}

/** A 502 for an answer of Google that cannot be used. */
export function unreadableGoogleAnswer(reason: string, cause?: unknown): ApiError {
  const message = `Reading Google's answer failed: ${reason}. Try again.`;
  return new ApiError("upstream", message, { cause });
}
