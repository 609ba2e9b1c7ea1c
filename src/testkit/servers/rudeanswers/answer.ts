import { chunksOf, completion, USAGE } from "../translating.ts";

/** What is asked for: words, or calls of tools side by side. */
export type Scenario = "text" | "tools";

/** A call of an answer, or a piece of one. */
export interface RudeCall {
  index?: number | null;
  id?: string | null;
  type?: string | null;
  function: { name?: string; arguments?: unknown };
}

/** A message, or a piece of one. */
export interface RudeMessage {
  role?: string | null;
  content?: unknown;
  tool_calls?: RudeCall[];
  [field: string]: unknown;
}

export interface RudeChoice {
  index?: unknown;
  message?: RudeMessage;
  delta?: RudeMessage | null;
  finish_reason: string | null;
  [field: string]: unknown;
}

/** A whole answer, or a chunk of a stream. */
export interface RudeBody {
  choices?: RudeChoice[] | null;
  usage?: Record<string, unknown> | null;
  [field: string]: unknown;
}

/** What a chat is answered with, in a stream and in one piece: JSON that modes change. */
export interface ChatAnswer {
  chunks: RudeBody[];
  whole: RudeBody;
}

/** The words of each answer, in the pieces in which they come. */
const WORDS = ["Hello", ", ", "wörld \u{1F30D}"];
export const TEXT = WORDS.join("");

/** The calls of each answer; the text is what the model wrote. */
export const CALLS = [
  { id: "call_1", name: "lookup", arguments: '{"id":9007199254740993,"of":["a b"]}' },
  { id: "call_2", name: "weather", arguments: '{"city":"Berlin"}' },
];

/** An answer as OpenAI documents it. */
export function politeAnswer(scenario: Scenario): ChatAnswer {
  const finish = scenario === "text" ? "stop" : "tool_calls";
  const deltas = scenario === "text" ? textDeltas() : callDeltas();
  const events = chunksOf(deltas, { finish, usage: USAGE });
  const said =
    scenario === "text"
      ? { content: TEXT }
      : {
          content: null,
          tool_calls: CALLS.map(({ id, name, arguments: args }) => ({
            ...{ id, type: "function", function: { name, arguments: args } },
          })),
        };
  const chunks = events.filter((event) => typeof event !== "string");
  const whole = completion(said, finish, { usage: USAGE });
  return structuredClone({ chunks, whole }) as ChatAnswer;
}

function textDeltas(): object[] {
  return [{ role: "assistant", content: "" }, ...WORDS.map((content) => ({ content }))];
}

function callDeltas(): object[] {
  const pieces = CALLS.flatMap(({ id, name, arguments: args }, index) => [
    { index, id, type: "function", function: { name, arguments: "" } },
    { index, function: { arguments: args.slice(0, 7) } },
    { index, function: { arguments: args.slice(7) } },
  ]);
  const begin = { role: "assistant", content: null };
  return [begin, ...pieces.map((piece) => ({ tool_calls: [piece] }))];
}
