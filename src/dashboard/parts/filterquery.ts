/** Texts that narrow a list down, by their names; "" for any. */
type Filter = Readonly<Record<string, string> & { from: string; to: string }>;

/**
 * The query that asks for what fits. `from` and `to` are days (`YYYY-MM-DD`) where the reader is;
 * what is no day counts as none.
 */
export function filterQuery({ from, to, ...texts }: Filter): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, text] of Object.entries(texts)) {
    if (text.trim() !== "") query.set(name, text.trim());
  }
  const [begin, end] = [midnight(from, 0), midnight(to, 1)];
  if (begin !== undefined) query.set("from", begin);
  if (end !== undefined) query.set("to", end);
  return query;
}

/** When a day begins where the reader is, or one some days later. */
function midnight(day: string, daysLater: number): string | undefined {
  const date = new Date(`${day}T00:00:00`);
  if (Number.isNaN(date.getTime())) return undefined;
  date.setDate(date.getDate() + daysLater);
  return date.toISOString();
}
