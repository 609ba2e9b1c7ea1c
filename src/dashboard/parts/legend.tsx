export interface LegendPart {
  name: string;
  /** A variable of the style: `--accent`. */
  color: string;
  /** What it is there, in numbers. */
  value: string;
}

/** What each colour of a drawing is, and how much of it there is `at` a place, else in all. */
export function Legend({ at, parts }: { at?: string | undefined; parts: readonly LegendPart[] }) {
  return (
    <div className="legend" aria-hidden="true">
      {at !== undefined && <strong>{at}</strong>}
      {parts.map(({ name, color, value }) => (
        <span key={color + name} className="legend-part">
          <span className="legend-color" style={{ background: `var(${color})` }} />
          <span className="cut">{name}</span>
          <span className="number muted">{value}</span>
        </span>
      ))}
    </div>
  );
}
