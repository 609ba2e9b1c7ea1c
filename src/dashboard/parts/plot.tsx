import { useEffect, useRef } from "react";
import UPlot from "uplot";

/** What a drawing takes from the styles of the page. */
export interface Look {
  /** The colour of a variable: `--accent`. */
  color(name: string): string;
  /** An axis in the colours and letters of the page. */
  axis: Pick<UPlot.Axis, "stroke" | "font" | "ticks">;
  grid: UPlot.Axis.Grid;
}

interface PlotProps {
  /** What it shows, for screen readers. */
  label: string;
  /** Another text is another drawing; with the same one only the data change. */
  shape: string;
  data: UPlot.AlignedData;
  optionsOf(look: Look): Omit<UPlot.Options, "width" | "height">;
}

/** A drawing by uPlot, made again when the data, the size or the colours change. */
export function Plot({ label, shape, data, optionsOf }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  const latest = useRef({ data, optionsOf });
  latest.current = { data, optionsOf };

  // biome-ignore lint/correctness/useExhaustiveDependencies: another shape is another drawing
  useEffect(() => {
    const node = place.current;
    if (node === null) return undefined;
    const draw = () => {
      plot.current?.destroy();
      const options = latest.current.optionsOf(lookOf(node));
      plot.current = new UPlot({ ...sizeOf(node), ...options }, latest.current.data, node);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize(sizeOf(node)));
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
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return <div className="chart" ref={place} role="img" aria-label={label} />;
}

function sizeOf(node: HTMLElement) {
  const { paddingLeft, paddingTop } = getComputedStyle(node);
  const inner = { x: 2 * Number.parseFloat(paddingLeft), y: Number.parseFloat(paddingTop) };
  return { width: Math.max(80, node.clientWidth - inner.x), height: node.clientHeight - inner.y };
}

function lookOf(node: HTMLElement): Look {
  const style = getComputedStyle(node);
  const color = (name: string) => style.getPropertyValue(name).trim() || style.color;
  return {
    color,
    axis: {
      stroke: color("--muted"),
      font: `11px ${style.fontFamily}`,
      ticks: { show: false },
    },
    grid: { stroke: color("--line"), width: 1 },
  };
}
