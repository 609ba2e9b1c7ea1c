import { z } from "zod";

const count = z.number().nullable().catch(null);

/** What an answer took, as far as it is known, and who gave it. */
const Timings = z.object({
  queueMs: count,
  firstTokenMs: count,
  totalMs: z.number(),
  inputTokens: count,
  outputTokens: count,
  cachedTokens: count,
  endpoint: z.string().nullable(),
  /** By which the request is found in the history. */
  requestId: z.string().nullable(),
});
export type Timings = z.infer<typeof Timings>;

/** A call of a tool that a model asked for. */
const Call = z.object({
  id: z.string(),
  name: z.string(),
  /** As the model wrote them: JSON, if it knows how. */
  arguments: z.string(),
  /** What the reader said that it gave; null: not yet. */
  result: z.string().nullable().default(null),
});
export type Call = z.infer<typeof Call>;

/** One answer of a model: to what was said, or to the results of its calls. */
const Step = z.object({
  content: z.string(),
  /** What the model thought before it answered. */
  thinking: z.string().default(""),
  calls: z.array(Call).default([]),
  /** Why the answer ended, in the API's words: `stop`, `length` … */
  finish: z.string().optional(),
  /** Why it is not whole. */
  error: z.string().optional(),
  timings: Timings.optional(),
});
export type Step = z.infer<typeof Step>;

/** What one model made of one message. */
const Lane = z.object({
  model: z.string(),
  /** The answer was to be JSON. */
  isJson: z.boolean().default(false),
  steps: z.array(Step),
});
export type Lane = z.infer<typeof Lane>;

const Picture = z.object({
  id: z.string(),
  name: z.string(),
  /** A data URL with all of its bytes. */
  url: z.string().regex(/^data:image\/[\w.+-]+;base64,/, "it must be a data URL of an image"),
});
export type Picture = z.infer<typeof Picture>;

/** A message of the reader, and the answers of one model, or of two side by side. */
const Turn = z.object({
  text: z.string(),
  images: z.array(Picture).default([]),
  lanes: z.array(Lane).max(2),
});
export type Turn = z.infer<typeof Turn>;

/** Who shall answer. */
const Target = z.object({
  model: z.string(),
  /** The name of an endpoint; "": the balancer chooses. */
  endpoint: z.string().default(""),
});
export type Target = z.infer<typeof Target>;

const Tool = z.object({
  name: z.string(),
  description: z.string(),
  /** JSON Schema, as it was typed. */
  parameters: z.string(),
  /** What is proposed as its result. */
  result: z.string().default(""),
});
export type Tool = z.infer<typeof Tool>;

export const ANSWER_FORMATS = ["text", "json", "schema"] as const;

/** What is asked for besides the messages. Numbers as typed; empty: the model's own. */
const Settings = z.object({
  system: z.string(),
  temperature: z.string(),
  topP: z.string(),
  maxTokens: z.string(),
  /** A text on each line. */
  stop: z.string(),
  seed: z.string(),
  presencePenalty: z.string(),
  frequencyPenalty: z.string(),
  reasoningEffort: z.string(),
  tools: z.array(Tool),
  /** `auto`, `none`, `required`, or a tool's name after `tool:`. */
  toolChoice: z.string(),
  format: z.enum(ANSWER_FORMATS),
  /** JSON Schema of answers, as typed. */
  schema: z.string(),
});
export type Settings = z.infer<typeof Settings>;

/** What shows some of the settings and changes them. */
export interface SettingsEditor {
  settings: Settings;
  set(changes: Partial<Settings>): void;
}

export const Conversation = z.object({
  id: z.string(),
  /** As the reader calls it; "": by what was said first. */
  title: z.string(),
  updatedAt: z.number(),
  targets: z.array(Target).min(1).max(2),
  settings: Settings,
  turns: z.array(Turn),
});
export type Conversation = z.infer<typeof Conversation>;

export const SETTINGS: Settings = {
  ...{ system: "", temperature: "", topP: "", maxTokens: "", stop: "", seed: "" },
  ...{ presencePenalty: "", frequencyPenalty: "", reasoningEffort: "" },
  ...{ tools: [], toolChoice: "auto", format: "text", schema: "" },
};

const TITLE_CHARS_MAX = 80;

/** A conversation in which nothing was said, which asks as another one does. */
export function newConversation(like?: Pick<Conversation, "targets" | "settings">): Conversation {
  const { targets, settings } = like ?? {
    ...{ targets: [{ model: "", endpoint: "" }], settings: SETTINGS },
  };
  return {
    ...{ id: crypto.randomUUID(), title: "", updatedAt: Date.now() },
    ...{ targets, settings, turns: [] },
  };
}

/** What a conversation is called: by its reader, else by what was said first; "" before that. */
export function titleOf({ title, turns }: Pick<Conversation, "title" | "turns">): string {
  if (title !== "") return title;
  const text = turns.find((turn) => turn.text.trim() !== "")?.text.trim() ?? "";
  const line = text.split("\n", 1)[0] ?? "";
  return line.length <= TITLE_CHARS_MAX ? line : `${line.slice(0, TITLE_CHARS_MAX - 1)}…`;
}

/** The last step of a lane waits for results of calls. */
export function waitsForResults({ steps }: Lane): boolean {
  return steps.at(-1)?.calls.some(({ result }) => result === null) ?? false;
}

/** A lane in which the result of one call of its last step is known. */
export function withResult(lane: Lane, callId: string, result: string): Lane {
  const step = lane.steps.at(-1);
  if (step === undefined) return lane;
  const calls = step.calls.map((call) => (call.id === callId ? { ...call, result } : call));
  return { ...lane, steps: [...lane.steps.slice(0, -1), { ...step, calls }] };
}

/** A conversation with another lane at a place. */
export function withLane(
  conversation: Conversation,
  { at, lane }: { at: number; lane: number },
  changed: Lane,
): Conversation {
  const turns = conversation.turns.map((turn, i) =>
    i === at ? { ...turn, lanes: turn.lanes.with(lane, changed) } : turn,
  );
  return { ...conversation, turns };
}
