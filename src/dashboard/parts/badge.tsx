import type { ReactNode } from "react";

export type Tone = "ok" | "warn" | "bad" | "quiet" | "accent";

/** A word with a colour; the word says it all. */
export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return <span className={`badge is-${tone}`}>{children}</span>;
}
