interface ProgressProps {
  /** What goes on, for screen readers. */
  label: string;
  /** What is done of it, from 0 to 1; undefined: nobody knows. */
  share: number | undefined;
}

/** A bar that fills as work goes on. */
export function Progress({ label, share }: ProgressProps) {
  const percent = share === undefined ? undefined : Math.floor(share * 1000) / 10;
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent !== undefined && { "aria-valuenow": percent })}
    >
      <span style={{ width: `${percent ?? 0}%` }} />
    </div>
  );
}
