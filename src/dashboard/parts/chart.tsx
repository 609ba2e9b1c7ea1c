import { useMemo, useRef, useState } from "react";
import type UPlot from "uplot";
import { NOTHING, useFormat } from "../text/format.ts";
import { Legend } from "./legend.tsx";
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

/** In less than this, minutes do not tell times apart. */
const SHORT_S = 600;

/** Lines over time, with what each is: at the mouse, else its last value. */
export function Chart(props: ChartProps) {
  const { clock, time: moment } = useFormat();
  const isShort = props.range[1] - props.range[0] < SHORT_S;
  const clockOf = (unixS: number) => {
    const at = new Date(unixS * 1000).toISOString();
    return isShort ? moment(at) : clock(at);
  };
  const latest = useRef({ ...props, clockOf });
  latest.current = { ...props, clockOf };
  const { label, times, lines, format } = props;
  const [at, setAt] = useState<number>();
  const time = at === undefined ? undefined : times[at];
  const textOf = ({ values }: Line) => {
    const value = at === undefined ? values.findLast((one) => one !== null) : values[at];
    return value === undefined || value === null ? NOTHING : format(value);
  };
  const data = useMemo<UPlot.AlignedData>(
    () => [[...times], ...lines.map(({ values }) => [...values])],
    [times, lines],
  );
  return (
    <div>
      <Plot
        {...{ label, data, shape: lines.map(({ name }) => name).join("\n") }}
        optionsOf={(look) => optionsOf(look, latest, setAt)}
      />
      <Legend
        at={time === undefined ? undefined : clockOf(time)}
        parts={lines.map((line) => ({ ...line, value: textOf(line) }))}
      />
    </div>
  );
}

function optionsOf(
  { color, axis, grid }: Look,
  latest: { current: ChartProps & { clockOf(unixS: number): string } },
  onCursor: (at: number | undefined) => void,
) {
  return {
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? undefined)] },
    padding: [8, 24, 0, 0],
    scales: {
      x: { time: true, range: () => [...latest.current.range] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      {
        ...{ ...axis, grid: { show: false }, size: 28, space: 84 },
        values: (_, splits) => splits.map((unixS) => latest.current.clockOf(unixS)),
      },
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
