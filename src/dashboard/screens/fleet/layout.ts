/** How much is shown of each host. */
export type Size = "large" | "medium" | "small";

/** What decides how high a host is. */
export interface HostShape {
  bars: number;
  /** Its slots. */
  cells: number;
  /** Models listed below. */
  lines: number;
}

export interface Metrics {
  /** Of a host, in pixels; it gets wider until the next column fits. */
  widthMin: number;
  columnsMax: number;
  /** Between hosts. */
  gap: number;
  padding: number;
  head: number;
  /** A bar with its label and the distance to the next. */
  bar: number;
  /** The same where there are many. */
  denseBar: number;
  cell: number;
  cellGap: number;
  /** More slots than these are one bar. */
  cellsMax: number;
  line: number;
  /** More models than these are a number. */
  linesMax: number;
  /** Between the parts of a host. */
  part: number;
}

/** Beyond these, bars are shown densely. */
export const BARS_ROOMY_MAX = 3;

/** Distances as `fleet.css` has them. */
export const METRICS: Record<Size, Metrics> = {
  large: {
    ...{
      widthMin: 520,
      columnsMax: 2,
      gap: 14,
      padding: 18,
      head: 44,
      bar: 64,
      denseBar: 34,
      part: 14,
    },
    ...{ cell: 16, cellGap: 4, cellsMax: 256, line: 26, linesMax: 12 },
  },
  medium: {
    ...{
      widthMin: 280,
      columnsMax: 6,
      gap: 10,
      padding: 14,
      head: 40,
      bar: 44,
      denseBar: 22,
      part: 10,
    },
    ...{ cell: 11, cellGap: 3, cellsMax: 128, line: 22, linesMax: 5 },
  },
  small: {
    ...{ widthMin: 96, columnsMax: 24, gap: 6, padding: 7, head: 16, bar: 8, denseBar: 8, part: 4 },
    ...{ cell: 6, cellGap: 2, cellsMax: 64, line: 0, linesMax: 0 },
  },
};

const BORDER = 1;
/** Lines stand in columns of at least this. */
const LINE_WIDTH = 400;

/** Hosts beside each other, as high as the highest of them needs. */
export interface HostRow {
  top: number;
  height: number;
  /** Of its hosts: from this one to before that one. */
  from: number;
  to: number;
}

export interface Layout {
  columns: number;
  /** Of each host. */
  width: number;
  rows: readonly HostRow[];
  height: number;
}

/** One host is shown large, a few medium, many small; on a narrow page medium comes sooner. */
export function sizeFor(hosts: number, width: number): Size {
  if (hosts <= 2) return width < METRICS.large.widthMin ? "medium" : "large";
  const columns = columnsFor(width, METRICS.medium);
  return hosts <= Math.max(12, 6 * columns) ? "medium" : "small";
}

/** Where hosts are: in rows, in their order, within `width` pixels. */
export function layOut(shapes: readonly HostShape[], width: number, size: Size): Layout {
  const metrics = METRICS[size];
  const columns = Math.min(columnsFor(width, metrics), Math.max(1, shapes.length));
  const { gap } = metrics;
  const each = Math.floor((width - (columns - 1) * gap) / columns);
  const rows: HostRow[] = [];
  let top = 0;
  for (let from = 0; from < shapes.length; from += columns) {
    const to = Math.min(from + columns, shapes.length);
    const heights = shapes.slice(from, to).map((shape) => hostHeight(shape, each, metrics));
    const height = Math.max(...heights);
    rows.push({ top, height, from, to });
    top += height + gap;
  }
  return { columns, width: each, rows, height: Math.max(0, top - gap) };
}

/** The rows of which something lies between two heights. */
export function rowsBetween(
  rows: readonly HostRow[],
  top: number,
  bottom: number,
): readonly HostRow[] {
  const from = firstWhere(rows, (row) => row.top + row.height > top);
  const to = firstWhere(rows, (row) => row.top >= bottom);
  return rows.slice(from, Math.max(from, to));
}

/** How many slots are drawn one by one; 0: as one bar. */
export function cellsShown(cells: number, { cellsMax }: Metrics): number {
  return cells <= cellsMax ? cells : 0;
}

function columnsFor(width: number, { widthMin, columnsMax, gap }: Metrics) {
  return Math.max(1, Math.min(columnsMax, Math.floor((width + gap) / (widthMin + gap))));
}

function hostHeight({ bars, cells, lines }: HostShape, width: number, metrics: Metrics): number {
  const { padding, head, bar, denseBar, cell, cellGap, line, part } = metrics;
  const inner = width - 2 * (padding + BORDER);
  const perRow = Math.max(1, Math.floor((inner + cellGap) / (cell + cellGap)));
  const cellRows = Math.max(1, Math.ceil(cellsShown(cells, metrics) / perRow));
  const parts = [
    head,
    bars * (bars > BARS_ROOMY_MAX ? denseBar : bar),
    cellRows * (cell + cellGap) - cellGap,
    Math.ceil(lines / Math.max(1, Math.floor(inner / LINE_WIDTH))) * line,
  ].filter((height) => height > 0);
  const heights = parts.reduce((sum, height) => sum + height, 0);
  return heights + (parts.length - 1) * part + 2 * (padding + BORDER);
}

/** The first place in a sorted list where something holds; its length if nowhere. */
function firstWhere<T>(list: readonly T[], holds: (one: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = list[middle];
    if (one !== undefined && holds(one)) high = middle;
    else low = middle + 1;
  }
  return low;
}
