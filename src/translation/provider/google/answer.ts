import type { ChatCompletion } from "../../../wire/chat.ts";
import { GoogleAnswer, type GoogleCandidate } from "../../../wire/google.ts";
import type { ChatAnswerOptions } from "../../chat/answeroptions.ts";
import { completionId } from "../../ids.ts";
import { unixTimeS } from "../../unixtime.ts";
import { blockedPromptMessage, messagePieceFromGoogle } from "./answerparts.ts";
import { unreadableGoogleAnswer } from "./errors.ts";
import { chatLogprobsFromGoogle } from "./logprobs.ts";
import { finishReasonFromGoogle } from "./stopreason.ts";
import { thoughtSignatureField } from "./thoughtsignature.ts";
import { chatUsageFromGoogle } from "./usage.ts";

/** The chat completion for an answer of Google's. Throws `upstream` if that cannot be read. */
export function chatCompletionFromGoogle(
  json: unknown,
  { model }: ChatAnswerOptions,
): ChatCompletion {
  const result = GoogleAnswer.safeParse(json);
  if (!result.success) {
    throw unreadableGoogleAnswer("it is not what Google's API answers", result.error);
  }
  const { candidates, promptFeedback, usageMetadata, responseId } = result.data;
  const blockReason = promptFeedback?.blockReason;
  if (candidates.length === 0 && blockReason === undefined) {
    throw unreadableGoogleAnswer("it has no candidates");
  }
  return {
    id: completionId(responseId),
    object: "chat.completion",
    created: unixTimeS(),
    model,
    choices:
      candidates.length > 0 || blockReason === undefined
        ? candidates.map(chatChoice)
        : [
            {
              index: 0,
              message: blockedPromptMessage(blockReason),
              finish_reason: "content_filter",
            },
          ],
    ...(usageMetadata ? { usage: chatUsageFromGoogle(usageMetadata) } : {}),
  };
}

function chatChoice(candidate: GoogleCandidate): ChatCompletion["choices"][number] {
  const { index, logprobsResult } = candidate;
  const pieces = candidate.content.map(messagePieceFromGoogle);
  const text = pieces.map((piece) => piece.text ?? "").join("");
  const reasoning = pieces.map((piece) => piece.reasoning ?? "").join("");
  const calls = pieces.flatMap(({ call }) => (call === undefined ? [] : [call]));
  const images = pieces.flatMap(({ image }) => (image === undefined ? [] : [image]));
  const signature = pieces.findLast((piece) => piece.signature !== undefined)?.signature;
  return {
    index,
    message: {
      role: "assistant",
      content: text === "" && calls.length > 0 ? null : text,
      ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
      ...(images.length === 0 ? {} : { images }),
      ...thoughtSignatureField(signature),
    },
    finish_reason: finishReasonFromGoogle(candidate, calls.length > 0),
    ...(logprobsResult ? { logprobs: chatLogprobsFromGoogle(logprobsResult) } : {}),
  };
}
