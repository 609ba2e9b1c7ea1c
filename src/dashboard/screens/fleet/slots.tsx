import { useContext } from "react";
import type { Cell } from "./cells.ts";
import { InkContext, inkClass } from "./ink.tsx";
import { cellsShown, METRICS, type Size } from "./layout.ts";

interface SlotCellsProps {
  cells: readonly Cell[];
  slots: number;
  active: number;
  size: Size;
}

/** The slots of a host: those with a request are lit in its model's colour. */
export function SlotCells({ cells, slots, active, size }: SlotCellsProps) {
  const inks = useContext(InkContext);
  if (cellsShown(cells.length, METRICS[size]) === 0) {
    const width = `${slots === 0 ? 0 : Math.min(100, (100 * active) / slots)}%`;
    return (
      <div className="slot-gauge" aria-hidden="true">
        <span style={{ width }} />
      </div>
    );
  }
  return (
    <div className="slot-cells" aria-hidden="true">
      {cells.map((model, i) => {
        const ink =
          model === null ? "" : model === "" ? "ink is-lit" : `${inkClass(inks, model)} is-lit`;
        // biome-ignore lint/suspicious/noArrayIndexKey: a slot is its place
        return <span key={i} className={`slot-cell ${ink}`} />;
      })}
    </div>
  );
}
