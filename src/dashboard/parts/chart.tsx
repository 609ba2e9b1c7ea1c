import { useEffect, useRef } from "react";
import UPlot from "uplot";

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

/** Lines over time, drawn again when the data, the size or the colours change. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { label, times, lines } = props;
  const shape = lines.map(({ name }) => name).join("\n");

  // biome-ignore lint/correctness/useExhaustiveDependencies: other lines are another chart
  useEffect(() => {
    const node = place.current;
    if (node === null) return undefined;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new UPlot(optionsOf(node, latest), dataOf(latest.current), node);
    };
    draw();
    const resized = new ResizeObserver(() => chart.current?.setSize(sizeOf(node)));
    resized.observe(node);
    // Colours are read once a drawing.
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      system.removeEventListener("change", draw);
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what it shows
  useEffect(() => {
    chart.current?.setData(dataOf(latest.current));
  }, [times, lines]);

  return <div className="chart" ref={place} role="img" aria-label={label} />;
}

function dataOf({ times, lines }: ChartProps): UPlot.AlignedData {
  return [[...times], ...lines.map(({ values }) => [...values])];
}

function sizeOf(node: HTMLElement) {
  const { paddingLeft, paddingTop } = getComputedStyle(node);
  const inner = { x: 2 * Number.parseFloat(paddingLeft), y: Number.parseFloat(paddingTop) };
  return { width: Math.max(80, node.clientWidth - inner.x), height: node.clientHeight - inner.y };
}

function optionsOf(node: HTMLElement, latest: { current: ChartProps }): UPlot.Options {
  const style = getComputedStyle(node);
  const color = (name: string) => style.getPropertyValue(name).trim() || style.color;
  const axis = {
    stroke: color("--muted"),
    font: `11px ${style.fontFamily}`,
    ticks: { show: false },
  };
  const grid = { stroke: color("--line"), width: 1 };
  const { lines } = latest.current;
  return {
    ...sizeOf(node),
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
      ...lines.map((line, i) => ({
        label: line.name,
        stroke: color(line.color),
        width: 1.5,
        // What stands between spans without a measurement would not be seen as a line.
        points: { show: line.values.some((value) => value === null), size: 4 },
        ...(i === 0 ? { fill: `color-mix(in srgb, ${color(line.color)} 10%, transparent)` } : {}),
      })),
    ],
  };
}

function clockOf(unixS: number): string {
  const at = new Date(unixS * 1000);
  return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
}
