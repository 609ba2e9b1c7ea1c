import type { GoogleAnswerPart } from "../../../wire/google.ts";
import { newId } from "../../ids.ts";
import { thoughtSignatureField } from "./thoughtsignature.ts";

/** What one part of Google's answer adds to a message: one of these, perhaps with a signature. */
export interface MessagePiece {
  text?: string;
  reasoning?: string;
  call?: { id: string; type: "function"; function: { name: string; arguments: string } };
  /** A generated image, in the form in which some servers of chat completions answer with it. */
  image?: { type: "image_url"; image_url: { url: string } };
  signature?: string;
}

/** Reads one part of Google's answer; an empty piece for what chat completions cannot express. */
export function messagePieceFromGoogle(part: GoogleAnswerPart): MessagePiece {
  const { text, thought, thoughtSignature: signature, functionCall, inlineData } = part;
  if (functionCall !== undefined) {
    const { id = newId("call_"), name, args } = functionCall;
    const call = { name, arguments: JSON.stringify(args ?? {}) };
    return { call: { id, type: "function", function: call, ...thoughtSignatureField(signature) } };
  }
  const signed = signature === undefined ? {} : { signature };
  if (inlineData !== undefined) {
    const url = `data:${inlineData.mimeType};base64,${inlineData.data}`;
    return { image: { type: "image_url", image_url: { url } }, ...signed };
  }
  if (text === undefined || text === "") return signed;
  return thought === true ? { reasoning: text, ...signed } : { text, ...signed };
}

/** The message in place of an answer to a prompt that Google blocked. */
export function blockedPromptMessage(reason: string) {
  const refusal = `Google blocked the prompt: ${reason}.`;
  return { role: "assistant", content: null, refusal };
}
