interface TileProps {
  name: string;
  value: string;
  unit?: string;
  about?: string;
  isBad?: boolean;
}

/** One figure with its name. */
export function Tile({ name, value, unit = "", about = "", isBad = false }: TileProps) {
  return (
    <div className={isBad ? "tile is-bad" : "tile"}>
      <span className="tile-name">{name}</span>
      <span className="tile-value">
        {value} <span className="tile-unit">{unit}</span>
      </span>
      <span className="hint">{about || "\u00a0"}</span>
    </div>
  );
}
