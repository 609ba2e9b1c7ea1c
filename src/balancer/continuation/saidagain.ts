import type { ContinuationWay, ContinuingKind } from "./decision.ts";
import type { FirstRequest } from "./firstrequest.ts";
import type { RepeatedText } from "./repeat.ts";
import { lastMessageText, type ToldAnswer } from "./request.ts";
import {
  type ChoiceTranscript,
  HALF_CHARACTER,
  type Transcript,
  UNSAID_END,
} from "./transcript.ts";

/** What of the answer so far an upstream says once more: all of it, or what it was not told. */
export function repeatedBy(
  way: ContinuationWay,
  kind: ContinuingKind,
  { choices }: Transcript,
): Map<number, RepeatedText> {
  if (way === "again") {
    const all = [...choices].map(([index, { text, reasoning, calls }]) => {
      const said = { text, reasoning, calls: structuredClone(calls) };
      return [index, said] as const;
    });
    return new Map(all);
  }
  if (way === "anew") return new Map();
  const trims = way === "last_message" || (way === "final_message" && TRIMMING.has(kind));
  const { text = "", reasoning = "" } = choices.get(0) ?? {};
  const [end = ""] = (trims ? UNSAID_END : HALF_CHARACTER).exec(text) ?? [];
  const [half = ""] = (text === "" ? HALF_CHARACTER.exec(reasoning) : null) ?? [];
  if (end === "" && half === "") return new Map();
  return new Map([[0, { text: end, reasoning: half, calls: new Map(), isLoose: true }]]);
}

/** What a choice has said without its end, which the upstream says once more. */
export function toldOf(
  { text, reasoning }: ChoiceTranscript,
  end: ToldAnswer = { text: "", reasoning: "" },
): ToldAnswer {
  return {
    text: text.slice(0, text.length - end.text.length),
    reasoning: reasoning.slice(0, reasoning.length - end.reasoning.length),
  };
}

/** Kinds whose templates may take space away from the end of a message. */
const TRIMMING = new Set<ContinuingKind>(["vllm"]);

/**
 * Whether an upstream that is told to go on with a text has misread it, if it thinks: its parser of
 * thoughts took the text for some, or its template left it away.
 */
export function refusesThoughts(way: ContinuationWay, kind: ContinuingKind): boolean {
  return way === "last_message" || (way === "final_message" && PARSING.has(kind));
}

/** Kinds that may take text behind thoughts for more of those. */
const PARSING = new Set<ContinuingKind>(["vllm", "sglang"]);

/**
 * The text that stands in the request as the beginning of the answer and was not repeated in it;
 * undefined where it is not certain what the upstream made of it.
 */
export function prefillOf(
  { upstream, format }: FirstRequest,
  body: Record<string, unknown>,
  transcript: Transcript,
): string | undefined {
  const prefill = format === "generate" ? undefined : lastMessageText(body);
  if (prefill === undefined || prefill === "") return "";
  if (body.continue_final_message !== undefined) {
    return body.continue_final_message === true ? prefill : undefined;
  }
  const { kind } = upstream.facts;
  // Our nodes take it out of answers of other APIs.
  if (format !== "chat" && kind === "llmlb") return prefill;
  if (kind === "ollama") return prefill;
  const repeats = kind === "llmlb" || kind === "llama_server";
  return repeats && transcript.choice(0).text.startsWith(prefill) ? "" : undefined;
}
