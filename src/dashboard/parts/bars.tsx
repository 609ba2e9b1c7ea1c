import { useMemo, useRef, useState } from "react";
import UPlot from "uplot";
import { Legend } from "./legend.tsx";
import { type Look, Plot } from "./plot.tsx";

export interface BarPart {
  name: string;
  /** A variable of the style: `--part-1`. */
  color: string;
  /** One for each bar. */
  values: readonly number[];
}

interface BarsProps {
  /** What the bars show, for screen readers. */
  label: string;
  /** What stands below each bar. */
  names: readonly string[];
  /** What each bar consists of, from the bottom up. */
  parts: readonly BarPart[];
  format(value: number): string;
}

/** Distances between the bars that have their names below them. */
const STEPS = [1, 2, 5, 7, 10, 14, 20, 30, 50, 100, 200, 500, 1000];

/** Bars of parts, with what each part is; the bar at the mouse is told in numbers. */
export function Bars(props: BarsProps) {
  const latest = useRef(props);
  latest.current = props;
  const { label, names, parts, format } = props;
  const [at, setAt] = useState<number>();
  const numberOf = ({ values }: BarPart) =>
    at === undefined ? values.reduce((sum, one) => sum + one, 0) : (values[at] ?? 0);
  const data = useMemo<UPlot.AlignedData>(
    () => [names.map((_, i) => i), ...stacked(parts)],
    [names, parts],
  );
  return (
    <div className="bars">
      <Plot
        {...{ label, data, shape: parts.map(({ name, color }) => color + name).join("\n") }}
        optionsOf={(look) => optionsOf(look, latest, setAt)}
      />
      <Legend
        at={at === undefined ? undefined : names[at]}
        parts={parts.map((part) => ({ ...part, value: format(numberOf(part)) }))}
      />
    </div>
  );
}

/** The heights up to which parts reach, the highest first: each is drawn over those before. */
function stacked(parts: readonly BarPart[]): number[][] {
  const heights: number[][] = [];
  let below: readonly number[] = [];
  for (const { values } of parts) {
    const top = values.map((value, i) => value + (below[i] ?? 0));
    heights.unshift(top);
    below = top;
  }
  return heights;
}

function optionsOf(
  { color, axis, grid }: Look,
  latest: { current: BarsProps },
  onCursor: (at: number | undefined) => void,
) {
  const paths = UPlot.paths.bars?.({ size: [0.72, 44], radius: 0.08 });
  return {
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? undefined)] },
    padding: [8, 20, 0, 0],
    scales: {
      x: { time: false, range: () => [-0.5, Math.max(1, latest.current.names.length) - 0.5] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      {
        ...{ ...axis, grid: { show: false }, size: 28, space: 64, incrs: STEPS },
        values: (_, splits) => splits.map((place) => latest.current.names[place] ?? ""),
      },
      {
        ...{ ...axis, grid, size: 60, space: 34 },
        values: (_, splits) => splits.map((value) => latest.current.format(value)),
      },
    ],
    series: [
      {},
      ...latest.current.parts.toReversed().map((part) => ({
        ...{ label: part.name, fill: color(part.color), width: 0, points: { show: false } },
        ...(paths && { paths }),
      })),
    ],
  } satisfies Omit<UPlot.Options, "width" | "height">;
}
