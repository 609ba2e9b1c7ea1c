import { type AnswerChunk, chunksOf } from "./blocks.ts";
import type { Lane, Step, Turn } from "./conversation.ts";

/** A part of a conversation that is drawn, and measured, by itself: `at` is its turn's place. */
export type TranscriptRow = { key: string; at: number; isTurnEnd: boolean } & (
  | { kind: "said"; turn: Turn }
  /** Two models' answers beside each other. */
  | { kind: "pair"; turn: Turn }
  | ({ lane: Lane } & LanePart)
);

/** A part of what one model made of a message. */
export type LanePart =
  | { kind: "head" | "tail" }
  | { kind: "thinking" | "json" | "calls" | "end"; step: Step }
  | { kind: "text"; chunk: AnswerChunk };

const cache = new WeakMap<Turn, { at: number; rows: readonly TranscriptRow[] }>();

/**
 * The rows of a conversation, in order. A long answer is several, so that as it grows only the last
 * one is drawn anew, and of thousands only those in sight are drawn at all.
 */
export function transcriptRows(turns: readonly Turn[]): TranscriptRow[] {
  return turns.flatMap((turn, at) => {
    const known = cache.get(turn);
    if (known?.at === at) return known.rows;
    const rows = turnRows(turn, at);
    cache.set(turn, { at, rows });
    return rows;
  });
}

function turnRows(turn: Turn, at: number): readonly TranscriptRow[] {
  const own = { at, isTurnEnd: false };
  const said: TranscriptRow = { ...own, key: `${at}`, kind: "said", turn };
  const [lane, other] = turn.lanes;
  if (lane === undefined) return [{ ...said, isTurnEnd: true }];
  if (other !== undefined) {
    return [said, { key: `${at}.pair`, at, isTurnEnd: true, kind: "pair", turn }];
  }
  const parts = laneParts(lane).map(
    (part, i): TranscriptRow => ({ ...own, key: `${at}.${i}`, lane, ...part }),
  );
  const last = parts.pop();
  return last === undefined ? [said] : [said, ...parts, { ...last, isTurnEnd: true }];
}

/** What one model's answers consist of, from its name to what can be done about the last one. */
export function laneParts(lane: Lane): LanePart[] {
  const { steps, isJson } = lane;
  return [
    { kind: "head" },
    ...steps.flatMap((step): LanePart[] => [
      ...(step.thinking === "" ? [] : [{ kind: "thinking" as const, step }]),
      ...(isJson && step.content !== ""
        ? [{ kind: "json" as const, step }]
        : chunksOf(step.content).map((chunk) => ({ kind: "text" as const, chunk }))),
      ...(step.calls.length === 0 ? [] : [{ kind: "calls" as const, step }]),
      { kind: "end", step },
    ]),
    { kind: "tail" },
  ];
}

const LINE_PX = 21;
const LINE_CHARS = 64;

/** About how high a row is before it was drawn. */
export function rowHeight(row: TranscriptRow): number {
  switch (row.kind) {
    case "said":
      return 56 + textHeight(row.turn.text) + (row.turn.images.length > 0 ? 80 : 0);
    case "pair":
      return 260;
    case "text":
      return 8 + textHeight(row.chunk.source);
    case "json":
      return 60 + textHeight(row.step.content);
    case "calls":
      return 180 * row.step.calls.length;
    case "tail":
      return 14;
    default:
      return 34;
  }
}

function textHeight(text: string): number {
  const lines = text.split("\n");
  return LINE_PX * lines.reduce((sum, line) => sum + Math.ceil((line.length + 1) / LINE_CHARS), 0);
}
