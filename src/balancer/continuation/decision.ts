import type { EndpointKind } from "../../wire/endpoint.ts";
import { isFields, type Transcript } from "./transcript.ts";

/** Who may go on with a stream: a cloud's model takes the beginning of an answer, or does not. */
export type ContinuingKind = EndpointKind | "cloud_prefill" | "cloud" | null;

/** A stream that broke. */
export interface BrokenStream {
  /** What the upstream was asked, in terms of chat completions, or of completions. */
  format: "chat" | "generate";
  body: Record<string, unknown>;
  transcript: Transcript;
}

/**
 * How an upstream is asked to go on with a stream:
 *
 * - `final_message`: the answer so far is the last message of the chat, which it is told to
 *   continue (`continue_final_message`);
 * - `last_message`: the same, and a server of its kind continues such a message unasked;
 * - `prompt`: the text so far is at the end of the prompt;
 * - `anew`: as the first one was, for nothing was said so far, or nothing is to be said any more.
 * - `again`: for all of it, of which only what comes behind the same beginning is used.
 *
 * Of a stream that has ended, and lacks only its usage, a single token is asked for and not used.
 */
export type ContinuationWay = "final_message" | "last_message" | "prompt" | "anew" | "again";

/**
 * Whether and how an upstream of a kind can go on with a stream. The first row that fits counts:
 *
 * | the stream                                    | kind                      | way             |
 * |-----------------------------------------------|---------------------------|-----------------|
 * | has ended, and was more than one text         | all                       | none            |
 * | has said no word, but the role of one at most | all                       | anew            |
 * | has said more than text, thoughts and calls   | all                       | none            |
 * | is a completion without echo and suffix       | all                       | prompt ¹        |
 * | is a chat that is in its thoughts             | llmlb, llama_server       | final_message ¹ |
 * | is a chat that has text                       | llmlb, llama_server, vllm | final_message ¹ |
 * | is a chat that has text, but no thoughts      | sglang                    | final_message ¹ |
 * | is a chat that has text                       | ollama                    | last_message ¹  |
 * | is a chat that has text, asks no thoughts     | cloud_prefill             | last_message ¹  |
 * | any other                                     | cloud, cloud_prefill      | none            |
 * | any other that has ended, and lacks its usage | all                       | anew            |
 * | any other that is the same each time          | all                       | again           |
 * | any other                                     | all                       | none            |
 *
 * ¹ Unless it has several choices, has called a tool or must call one, or is bound to a grammar or
 * schema. The same each time is what has a seed, or the temperature 0.
 *
 * A cloud is another model, and costs: it does not say again what it would say otherwise.
 *
 * A grammar, a call and a second choice begin where the answer does: a server that is shown half of
 * one takes it for words.
 */
export function continuationWay(
  { format, body, transcript }: BrokenStream,
  kind: ContinuingKind,
): ContinuationWay | undefined {
  const choices = [...transcript.choices.values()];
  const hasMore = choices.some((one) => one.hasMore);
  const hasOther = hasMore || choices.some(({ calls }) => calls.size > 0);
  const isEnded = hasEnded({ body, transcript });
  if (isEnded && (hasOther || choices.length > 1)) return undefined;
  const isSame = !hasMore && isRepeatable(body);
  const isCloud = kind === "cloud" || kind === "cloud_prefill";
  const others = isEnded ? "anew" : isSame ? "again" : undefined;
  const otherwise = isCloud ? undefined : others;
  if (transcript.chars === 0 && !hasOther) return "anew";
  if (hasMore) return undefined;
  if (hasOther || choices.length > 1 || hasSeveralChoices(body) || isBound(body)) return otherwise;
  if (format === "generate") {
    const isPlain = !isSet(body.echo) && !isSet(body.suffix) && typeof body.prompt === "string";
    return isPlain ? "prompt" : otherwise;
  }
  if (!Array.isArray(body.messages)) return otherwise;
  if (kind === "llmlb" || kind === "llama_server") return "final_message";
  if (choices.every(({ text }) => text.trim() === "")) return otherwise;
  if (kind === "vllm") return "final_message";
  // It has its templates begin an answer, thoughts included, and puts the text behind that.
  if (kind === "sglang") return choices[0]?.reasoning === "" ? "final_message" : otherwise;
  if (kind === "cloud_prefill" && !wantsThoughts(body)) return "last_message";
  return kind === "ollama" ? "last_message" : otherwise;
}

/** Kinds that continue any last message if they are told to. */
export const FINAL_MESSAGE_KINDS: readonly (EndpointKind | null)[] = [
  ...(["llmlb", "llama_server", "vllm"] as const),
];

/** Whether the same answer is to be expected each time. */
function isRepeatable({ seed, temperature }: Record<string, unknown>): boolean {
  return typeof seed === "number" || temperature === 0;
}

/** Whether all choices that were asked for have told why they ended. */
export function hasEnded({ body, transcript }: Omit<BrokenStream, "format">): boolean {
  return transcript.hasEnded(choicesAskedIn(body));
}

/** How many choices a request asks for. */
function choicesAskedIn({ n }: Record<string, unknown>): number {
  return typeof n === "number" && n > 1 ? n : 1;
}

function hasSeveralChoices(body: Record<string, unknown>): boolean {
  return choicesAskedIn(body) > 1 || (typeof body.best_of === "number" && body.best_of > 1);
}

/** Fields of llama.cpp, vLLM and SGLang that bind an answer to a form. */
const FORMS = [
  ...["grammar", "json_schema", "structured_outputs", "regex", "ebnf", "structural_tag"],
  ...["guided_json", "guided_regex", "guided_choice", "guided_grammar"],
];

/** Whether all of the answer has a form that it must have from its beginning. */
function isBound(body: Record<string, unknown>): boolean {
  if (FORMS.some((name) => isSet(body[name]))) return true;
  const { response_format: format, tool_choice: choice } = body;
  // Ollama's own field.
  if (typeof body.format === "string" ? body.format !== "" : isSet(body.format)) return true;
  if (isFields(format) && format.type !== "text") return true;
  return isSet(choice) && choice !== "auto" && choice !== "none";
}

/** Whether thoughts are asked for, with which Anthropic takes no beginning of an answer. */
function wantsThoughts(body: Record<string, unknown>): boolean {
  const { reasoning_effort: effort, thinking, thinking_budget_tokens: budget } = body;
  if (isFields(thinking)) return thinking.type !== "disabled";
  return (isSet(effort) && effort !== "none") || (typeof budget === "number" && budget > 0);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== "";
}
