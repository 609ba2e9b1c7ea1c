import type { EndpointKind } from "../../wire/endpoint.ts";
import { isFields, type Transcript } from "./transcript.ts";

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
 *
 * Of a stream that has ended, and lacks only its usage, a single token is asked for and not used.
 */
export type ContinuationWay = "final_message" | "last_message" | "prompt" | "anew";

/**
 * Whether and how an upstream of a kind can go on with a stream. The first row that fits counts:
 *
 * | the stream                                             | kind                | way           |
 * |--------------------------------------------------------|---------------------|---------------|
 * | has several choices, or called tools, and has ended    | all                 | none          |
 * | has said no word, and no more than the role of one     | all                 | anew          |
 * | has several choices, or called tools                   | all                 | none          |
 * | has said what is neither text nor reasoning            | all                 | none          |
 * | obeys a grammar or a schema, or must call a tool       | all                 | none          |
 * | is a completion that repeats its prompt, or fills in   | all                 | none          |
 * | is a completion whose prompt is no text                | all                 | none          |
 * | is a completion                                        | all                 | prompt        |
 * | is in its reasoning                                    | llmlb, llama_server | final_message |
 * | is a chat that has text                                | llmlb, llama_server | final_message |
 * | the same                                               | vllm                | final_message |
 * | the same                                               | ollama              | last_message  |
 * | any other that has ended, and lacks its usage          | all                 | anew          |
 * | any other                                              | all                 | none          |
 *
 * A grammar, a call and a second choice begin where the answer does: a server that is shown half of
 * one takes it for words.
 */
export function continuationWay(
  { format, body, transcript }: BrokenStream,
  kind: EndpointKind | null,
): ContinuationWay | undefined {
  const choices = [...transcript.choices.values()];
  const hasOther = choices.some(({ hasCalls, hasMore }) => hasCalls || hasMore);
  const isEnded = choices.some(({ isFinished }) => isFinished);
  if (isEnded && (hasOther || choices.length > 1)) return undefined;
  const otherwise = isEnded ? "anew" : undefined;
  if (transcript.chars === 0 && !hasOther) return "anew";
  if (hasOther || choices.length > 1 || hasSeveralChoices(body) || isBound(body)) return otherwise;
  if (format === "generate") {
    const isPlain = !isSet(body.echo) && !isSet(body.suffix) && typeof body.prompt === "string";
    return isPlain ? "prompt" : otherwise;
  }
  if (!Array.isArray(body.messages)) return otherwise;
  if (kind === "llmlb" || kind === "llama_server") return "final_message";
  if (choices.every(({ text }) => text === "")) return otherwise;
  if (kind === "vllm") return "final_message";
  return kind === "ollama" ? "last_message" : otherwise;
}

function hasSeveralChoices({ n, best_of: of }: Record<string, unknown>): boolean {
  return [n, of].some((count) => typeof count === "number" && count > 1);
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

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== "";
}
