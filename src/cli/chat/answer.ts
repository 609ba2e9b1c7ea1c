import type { Colors } from "../terminal/color.ts";
import { printable } from "../terminal/output.ts";
import type { AnswerPiece } from "./stream.ts";

/** Where an answer is shown. */
interface AnswerOutput {
  write(text: string): void;
  paint: Colors;
  /** The output is a terminal: also print the reasoning, and the speed at the end. */
  terminal: boolean;
  /** Where the count and the speed go if it is no terminal. Default: nowhere. */
  note?(text: string): void;
}

/** Prints an answer as it arrives. */
export async function printAnswer(
  pieces: AsyncIterable<AnswerPiece>,
  { write, paint, terminal, note }: AnswerOutput,
): Promise<void> {
  const startedAt = performance.now();
  let firstAt: number | undefined;
  let last: "reasoning" | "text" | undefined;
  let column = "";
  try {
    for await (const piece of pieces) {
      if (piece.type === "usage") {
        const now = performance.now();
        const times = { totalMs: now - startedAt, answerMs: now - (firstAt ?? now) };
        const line = summary(piece, times);
        if (!terminal) note?.(line);
        else {
          write(`${column === "\n" ? "" : "\n"}${paint.dim(line)}\n`);
          column = "\n";
        }
        continue;
      }
      firstAt ??= performance.now();
      if (piece.type === "reasoning" && !terminal) continue;
      if (last === "reasoning" && piece.type === "text") write("\n\n");
      last = piece.type;
      const text = terminal ? printable(piece.text) : piece.text;
      write(piece.type === "reasoning" ? paint.dim(text) : text);
      column = text.at(-1) ?? column;
    }
  } finally {
    if (column !== "\n" && column !== "") write("\n");
  }
}

interface AnswerTimes {
  totalMs: number;
  /** Since the first piece of the answer. */
  answerMs: number;
}

function summary(
  { tokens, tokensPerSecond }: Extract<AnswerPiece, { type: "usage" }>,
  { totalMs, answerMs }: AnswerTimes,
): string {
  const speed = tokensPerSecond ?? (answerMs > 0 && tokens > 1 ? tokens / (answerMs / 1000) : 0);
  const parts = [`${tokens} token${tokens === 1 ? "" : "s"}`];
  if (speed > 0) parts.push(`${speed.toFixed(1)} tokens/s`);
  parts.push(`${(totalMs / 1000).toFixed(1)} s`);
  return `[${parts.join(", ")}]`;
}
