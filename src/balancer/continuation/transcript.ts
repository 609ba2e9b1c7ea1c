/** What a stream tells of itself with each event; the events that go on from it repeat this. */
export const HEAD = ["id", "object", "created", "model", "system_fingerprint"] as const;

/** What was said of a tool call. */
export interface CallTranscript {
  name: string;
  /** Its arguments. */
  text: string;
}

/** What one choice of a stream has said. */
export interface ChoiceTranscript {
  text: string;
  reasoning: string;
  /** The field in which its reasoning came. */
  reasoningField: "reasoning_content" | "reasoning";
  hasRole: boolean;
  /** The calls that it has begun, by their indices. */
  calls: Map<number, CallTranscript>;
  /** There was something in it that is neither text nor reasoning nor a call. */
  hasMore: boolean;
  isFinished: boolean;
  /** Tokens that it is made of, at least: those of its probabilities, else one for each event. */
  tokensMin: number;
  /** Those of them with which its text ends that are space, or half of a character. */
  endTokens: number;
}

type Fields = Record<string, unknown>;

/** Fields of a piece that say nothing by themselves. */
const SILENT = new Set(["role", "content", "reasoning", "reasoning_content", "tool_calls"]);

/**
 * What a stream of (chat) completions has said so far, read of its events. An event that is none of
 * such a stream changes nothing.
 */
export class Transcript {
  readonly head: { [name in (typeof HEAD)[number]]?: unknown } = {};
  readonly choices = new Map<number, ChoiceTranscript>();
  /** It has told the usage of all of it. */
  hasUsage = false;
  /** Events that come once and have come, by their names. */
  readonly events = new Set<string>();
  /** Of a response: its items' kinds and ids, by their places. */
  readonly items = new Map<number, string>();
  /** Of a response: the number of its next event. */
  nextNumber = 0;
  /** Its text is complete, as an event said that comes behind it. */
  isClosed = false;
  /** Characters of text, reasoning and calls. */
  chars = 0;

  /** Whether so many choices have told why they ended. */
  hasEnded(choices: number): boolean {
    return [...this.choices.values()].filter((one) => one.isFinished).length >= choices;
  }

  /** The choice with this index, which is made if it has said nothing yet. */
  choice(index: number): ChoiceTranscript {
    let choice = this.choices.get(index);
    if (choice === undefined) {
      choice = {
        ...{ text: "", reasoning: "", reasoningField: "reasoning_content" },
        ...{ calls: new Map(), hasRole: false, hasMore: false, isFinished: false, tokensMin: 0 },
        endTokens: 0,
      };
      this.choices.set(index, choice);
    }
    return choice;
  }

  add(event: Fields): void {
    const { choices, usage } = event;
    if (isFields(usage) && !isSaid(choices)) this.hasUsage = true;
    if (!Array.isArray(choices) || choices.length === 0) return;
    for (const name of HEAD) {
      if (this.head[name] === undefined && event[name] !== undefined) this.head[name] = event[name];
    }
    for (const choice of choices) if (isFields(choice)) this.#add(choice);
    if (isFields(usage) && this.hasEnded(this.choices.size)) this.hasUsage = true;
  }

  #add({ index, delta, text, finish_reason: finish, logprobs }: Fields): void {
    const choice = this.choice(typeof index === "number" ? index : 0);
    const before = choice.text.length + choice.reasoning.length;
    const piece = isFields(delta) ? delta : { content: text };
    if (typeof piece.role === "string") choice.hasRole = true;
    const isThought = typeof piece.reasoning_content === "string" && piece.reasoning_content !== "";
    const field = isThought ? "reasoning_content" : "reasoning";
    const reasoning = piece[field];
    if (typeof reasoning === "string" && reasoning !== "") {
      choice.reasoning += reasoning;
      choice.reasoningField = field;
    } else if (isSaid(reasoning)) choice.hasMore = true;
    if (typeof piece.content === "string") choice.text += piece.content;
    else if (isSaid(piece.content)) choice.hasMore = true;
    let chars = choice.text.length + choice.reasoning.length - before;
    if (Array.isArray(piece.tool_calls)) chars += addCalls(choice, piece.tool_calls);
    else if (isSaid(piece.tool_calls)) choice.hasMore = true;
    for (const name in piece) if (!SILENT.has(name) && isSaid(piece[name])) choice.hasMore = true;
    if (typeof finish === "string" && finish !== "" && finish !== "null") choice.isFinished = true;
    this.chars += chars;
    if (chars > 0) noteTokens(choice, piece.content, Math.max(1, probabilitiesIn(logprobs)));
  }
}

/** Counts the tokens of one more piece of a choice. */
export function noteTokens(choice: ChoiceTranscript, text: unknown, tokens: number): void {
  choice.tokensMin += tokens;
  choice.endTokens =
    UNSAID_END.exec(String(text ?? ""))?.index === 0 ? choice.endTokens + tokens : 0;
}

/**
 * The end of a text that not every server takes as it is: space, which templates of chats may take
 * away, and the first half of a character in UTF-16.
 */
export const UNSAID_END = /\s*[\ud800-\udbff]?$/;
export const HALF_CHARACTER = /[\ud800-\udbff]?$/;

/**
 * Adds an event's pieces of calls, and returns their characters. One without an index or a name is
 * none that can be said again.
 */
function addCalls(choice: ChoiceTranscript, pieces: unknown[]): number {
  let chars = 0;
  for (const piece of pieces) {
    const { index, function: called } = isFields(piece) ? piece : {};
    const { name, arguments: text = "" } = isFields(called) ? called : {};
    if (typeof index !== "number" || typeof text !== "string") {
      choice.hasMore = true;
      continue;
    }
    const known = choice.calls.get(index);
    const call = known ?? { name: String(name ?? ""), text: "" };
    if (known === undefined) {
      choice.calls.set(index, call);
      chars += call.name.length;
    }
    call.text += text;
    chars += text.length;
  }
  return chars;
}

/** Tokens whose probabilities an event tells: of chats, or of completions. */
function probabilitiesIn(logprobs: unknown): number {
  if (!isFields(logprobs)) return 0;
  const { content, tokens } = logprobs;
  if (Array.isArray(content)) return content.length;
  return Array.isArray(tokens) ? tokens.length : 0;
}

/** Whether a field says anything. */
export function isSaid(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  return !Array.isArray(value) || value.length > 0;
}

/** Whether a value is an object with fields. */
export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
