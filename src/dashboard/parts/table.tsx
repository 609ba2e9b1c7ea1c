import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef } from "react";
import { useTexts } from "../text/i18n.ts";
import { Icon } from "./icon.tsx";
import { useIsNarrow } from "./narrow.ts";
import { partsTexts } from "./texts.ts";

export interface Column<T> {
  key: string;
  title: string;
  cell(row: T): ReactNode;
  /** What it is sorted by; without it, it is not. */
  sortBy?(row: T): string | number;
  /** Its share of the width, as grid columns have it. Default: `minmax(0, 1fr)`. */
  width?: string;
  align?: "end";
  /** It is left out where the window is narrow. */
  isMinor?: boolean;
}

/** How a table is sorted: a column's key, with `-` before it from the last to the first. */
export type Sort = string;

interface TableProps<T> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  idOf(row: T): string;
  /** Stands where there are no rows. */
  empty: ReactNode;
  sort?: Sort;
  onSort?(sort: Sort): void;
  onOpen?(row: T): void;
}

const ROW_PX = 40;

/** A list in columns. Only rows in sight are drawn, so that thousands scroll smoothly. */
export function Table<T>(props: TableProps<T>) {
  const { label, columns, rows, idOf, empty, sort = "", onSort, onOpen } = props;
  const place = useRef<HTMLDivElement>(null);
  const sorted = useMemo(() => sortedBy(rows, columns, sort), [rows, columns, sort]);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const isNarrow = useIsNarrow();
  if (rows.length === 0) return empty;
  const shown = columns.filter(({ isMinor }) => !(isMinor && isNarrow));
  const grid = { gridTemplateColumns: shown.map(({ width = FLEXIBLE }) => width).join(" ") };
  return (
    <div className="table" role="table" aria-label={label} aria-rowcount={rows.length + 1}>
      <div className="table-head" role="row" style={grid}>
        {shown.map((column) => (
          <HeadCell key={column.key} column={column} sort={sort} onSort={onSort} />
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well */}
      <div className="table-body" role="rowgroup" ref={place} tabIndex={0}>
        <div className="table-space" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = sorted[index];
            if (row === undefined) return null;
            const at = { ...grid, transform: `translateY(${start}px)` };
            return <Row key={idOf(row)} {...{ row, index, at, onOpen }} columns={shown} />;
          })}
        </div>
      </div>
    </div>
  );
}

const FLEXIBLE = "minmax(0, 1fr)";

interface RowProps<T> {
  row: T;
  index: number;
  at: { transform: string; gridTemplateColumns: string };
  columns: readonly Column<T>[];
  onOpen: ((row: T) => void) | undefined;
}

/** The mouse opens a row anywhere; keys by the link or button in it. */
function Row<T>({ row, index, at, columns, onOpen }: RowProps<T>) {
  const open = onOpen && (() => onOpen(row));
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys have the link in it
    <div
      className={open === undefined ? "table-row" : "table-row is-open"}
      role="row"
      aria-rowindex={index + 2}
      style={at}
      onClick={(event) => isOwnClick(event.target) && open?.()}
    >
      {columns.map(({ key, cell, align }) => (
        <div key={key} role="cell" className={align === "end" ? "cell is-end" : "cell"}>
          {cell(row)}
        </div>
      ))}
    </div>
  );
}

/** What can be pressed in a row does its own. */
function isOwnClick(target: EventTarget): boolean {
  return target instanceof Element && target.closest("a, button, input, select") === null;
}

function HeadCell<T>(props: {
  column: Column<T>;
  sort: Sort;
  onSort: ((sort: Sort) => void) | undefined;
}) {
  const { column, sort, onSort } = props;
  const t = useTexts(partsTexts);
  const { key, title, sortBy, align } = column;
  const order = sort === key ? "ascending" : sort === `-${key}` ? "descending" : "none";
  const className = align === "end" ? "cell is-end" : "cell";
  if (sortBy === undefined || onSort === undefined) {
    return (
      <div role="columnheader" className={className}>
        {title}
      </div>
    );
  }
  return (
    <div role="columnheader" className={className} aria-sort={order}>
      <button
        type="button"
        className="sort"
        title={t("sort", { column: title })}
        onClick={() => onSort(order === "ascending" ? `-${key}` : key)}
      >
        {title}
        {order !== "none" && <Icon name={order === "ascending" ? "up" : "down"} />}
      </button>
    </div>
  );
}

/** Made once: to make it for each of thousands of comparisons takes longer than they do. */
const collator = new Intl.Collator(undefined, { numeric: true });

function sortedBy<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort): readonly T[] {
  const key = sort.replace(/^-/, "");
  const sortBy = columns.find((column) => column.key === key)?.sortBy;
  if (sortBy === undefined) return rows;
  const sign = sort.startsWith("-") ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [sortBy(one), sortBy(other)];
    const order =
      typeof a === "string" || typeof b === "string"
        ? collator.compare(String(a), String(b))
        : a - b;
    return sign * order;
  });
}
