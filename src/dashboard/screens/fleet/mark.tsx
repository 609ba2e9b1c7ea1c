import { Badge, type Tone } from "../../parts/badge.tsx";
import { useTexts } from "../../text/i18n.ts";
import type { Condition } from "./picture.ts";
import { fleetTexts } from "./texts.ts";

const TONES: Record<Condition, Tone> = {
  online: "ok",
  error: "warn",
  offline: "bad",
  pending: "quiet",
  draining: "accent",
  circuit_open: "bad",
  circuit_testing: "warn",
};

/** Strokes on a field of 10 × 10; each differs from the others without its colour. */
const SHAPES: Record<Condition, string> = {
  online: "M5 1.600a3.400 3.400 0 1 0 0 6.800a3.400 3.400 0 1 0 0-6.800z",
  error: "M5 1l4.300 7.800H.700z",
  offline: "M2 2l6 6M8 2l-6 6",
  pending: "M5 1.800a3.200 3.200 0 1 0 0 6.400a3.200 3.200 0 1 0 0-6.400z",
  draining: "M5 1v7M2 5l3 3 3-3",
  circuit_open: "M0 5h3M7 5h3M3.500 7.500l3-5",
  circuit_testing: "M0 5h3M7 5h3M3 5l3.500-2",
};

const FILLED: ReadonlySet<Condition> = new Set(["online", "error"]);

/** How a host is, as a small drawing; words say it beside it. */
export function Mark({ condition }: { condition: Condition }) {
  const fill = FILLED.has(condition) ? " is-filled" : "";
  return (
    <svg
      className={`mark is-${TONES[condition]}${fill}`}
      viewBox="0 0 10 10"
      aria-hidden="true"
      focusable="false"
    >
      <path d={SHAPES[condition]} />
    </svg>
  );
}

/** How a host is, in a word. */
export function ConditionBadge({ condition }: { condition: Condition }) {
  const t = useTexts(fleetTexts);
  return <Badge tone={TONES[condition]}>{t(`condition_${condition}`)}</Badge>;
}
