import type { Scenario } from "./answer.ts";
import { CALL_SHAPES, wordsBeforeCalls } from "./callshapes.ts";
import { BREAKS, type Ending, FAILED_CHOICES, LATE_ENDINGS, sending } from "./endings.ts";
import { SENDINGS } from "./sending.ts";
import { ANSWER_SHAPES, type ShapeChange, thoughtsInParts } from "./shapes.ts";

/** One way in which endpoints are rude. */
export interface RudeMode {
  name: string;
  /** What it answers so. */
  scenarios: readonly Scenario[];
  /** What is unusual: the shape of the answer, how it is sent, how it ends, or that it fails. */
  kind: "shape" | "sending" | "ending" | "break" | "failed_choice";
  change: ShapeChange;
  respond: Ending;
  /** The answer has thoughts before its words, or words before its calls. */
  has?: "thoughts" | "words";
}

const BOTH = ["text", "tools"] as const;
const asItIs: ShapeChange = () => undefined;

/** Every rudeness, as far as one answer to a chat can show it. */
export const RUDE_MODES: readonly RudeMode[] = [
  ...shapes(ANSWER_SHAPES, BOTH),
  ...shapes({ "content in parts behind thoughts": thoughtsInParts }, BOTH, "thoughts"),
  ...shapes(CALL_SHAPES, ["tools"]),
  ...shapes({ "words before calls": wordsBeforeCalls }, ["tools"], "words"),
  ...Object.entries(SENDINGS).map(([name, send]) => ({
    ...({ name, scenarios: BOTH, kind: "sending", change: asItIs } as const),
    respond: sending(send),
  })),
  ...endings(LATE_ENDINGS, "ending", BOTH),
  ...endings(BREAKS, "break", ["text"]),
  ...endings(FAILED_CHOICES, "failed_choice", ["text"]),
];

function shapes(
  table: Readonly<Record<string, ShapeChange>>,
  scenarios: readonly Scenario[],
  has?: "thoughts" | "words",
): RudeMode[] {
  return Object.entries(table).map(([name, change]) => ({
    ...({ name, scenarios, kind: "shape", change, respond: sending() } as const),
    ...(has === undefined ? {} : { has }),
  }));
}

function endings(
  table: Readonly<Record<string, Ending>>,
  kind: RudeMode["kind"],
  scenarios: readonly Scenario[],
): RudeMode[] {
  return Object.entries(table).map(([name, respond]) => ({
    ...{ name, scenarios, kind, change: asItIs, respond },
  }));
}
