import type { ReactNode } from "react";

interface TileProps {
  name: string;
  value: string;
  unit?: string;
  about?: string;
  isBad?: boolean;
  /** A link to what the figure counts. */
  link?: ReactNode;
}

/** One figure with its name. */
export function Tile({ name, value, unit = "", about = "", isBad = false, link }: TileProps) {
  return (
    <div className={isBad ? "tile is-bad" : "tile"}>
      <span className="tile-name">
        {name} {link}
      </span>
      <span className="tile-value">
        {value} <span className="tile-unit">{unit}</span>
      </span>
      <span className="hint">{about || "\u00a0"}</span>
    </div>
  );
}
