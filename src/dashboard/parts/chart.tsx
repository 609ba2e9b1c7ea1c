import { useMemo, useRef } from "react";
import type UPlot from "uplot";
import { type Look, Plot } from "./plot.tsx";

export interface Line {
  name: string;
  /** A variable of the style: `--accent`. */
  color: string;
  /** Null: nothing was measured then. */
  values: readonly (number | null)[];
}

interface ChartProps {
  /** What the chart shows, for screen readers. */
  label: string;
  /** Unix seconds, oldest first. */
  times: readonly number[];
  lines: readonly Line[];
  format(value: number): string;
  /** The times at both ends. */
  range: readonly [from: number, to: number];
}

/** Lines over time. */
export function Chart(props: ChartProps) {
  const latest = useRef(props);
  latest.current = props;
  const { label, times, lines } = props;
  const data = useMemo<UPlot.AlignedData>(
    () => [[...times], ...lines.map(({ values }) => [...values])],
    [times, lines],
  );
  return (
    <Plot
      {...{ label, data, shape: lines.map(({ name }) => name).join("\n") }}
      optionsOf={(look) => optionsOf(look, latest)}
    />
  );
}

function optionsOf({ color, axis, grid }: Look, latest: { current: ChartProps }) {
  return {
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 8, 0, 0],
    scales: {
      x: { time: true, range: () => [...latest.current.range] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, values: (_, splits) => splits.map(clockOf) },
      {
        ...axis,
        grid,
        size: 56,
        space: 34,
        values: (_, splits) => splits.map((value) => latest.current.format(value)),
      },
    ],
    series: [
      {},
      ...latest.current.lines.map((line, i) => ({
        label: line.name,
        stroke: color(line.color),
        width: 1.5,
        // What stands between spans without a measurement would not be seen as a line.
        points: { show: line.values.some((value) => value === null), size: 4 },
        ...(i === 0 ? { fill: `color-mix(in srgb, ${color(line.color)} 10%, transparent)` } : {}),
      })),
    ],
  } satisfies Omit<UPlot.Options, "width" | "height">;
}

function clockOf(unixS: number): string {
  const at = new Date(unixS * 1000);
  return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
}
