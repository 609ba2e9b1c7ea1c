/** What a spreadsheet may take for a formula, or what hides one. */
const FORMULA = /^[=+\-@\t\r\n]/;
const QUOTED = /[",\r\n]/;

/**
 * A line of CSV (RFC 4180). A text that a spreadsheet might take for a formula gets an apostrophe
 * before it: clients choose names of models, and whoever opens the file must not run them.
 */
export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return `${values.map(cellOf).join(",")}\r\n`;
}

function cellOf(value: string | number | boolean | null): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return QUOTED.test(text) || text !== value ? `"${text.replaceAll('"', '""')}"` : text;
}
