/** What a long run has to show, and whether it did. */
export interface Check {
  what: string;
  seen: string;
  holds: boolean;
}

/** A number that must not be above a limit. */
export function atMost(what: string, seen: number, limit: number, unit = ""): Check {
  const shown = `${round(seen)}${unit}, at most ${round(limit)}${unit}`;
  return { what, seen: shown, holds: seen <= limit };
}

/** Prints the checks; returns the exit status. */
export function report(checks: Check[]): number {
  for (const { what, seen, holds } of checks) {
    process.stdout.write(`${holds ? "ok    " : "FAILED"} ${what}: ${seen}\n`);
  }
  const failed = checks.filter(({ holds }) => !holds).length;
  process.stdout.write(failed === 0 ? "All held.\n" : `${failed} of ${checks.length} failed.\n`);
  return failed === 0 ? 0 : 1;
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
