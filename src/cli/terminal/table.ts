/** Lines of a table: columns as wide as their longest cell, two blanks between them. */
export function table(given: string[][], indent = ""): string[] {
  // A name with a newline must not look like another row.
  const rows = given.map((row) => row.map((cell) => cell.replace(/[\r\n\t]+/g, " ")));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) {
      widths[i] = Math.max(widths[i] ?? 0, Bun.stringWidth(cell));
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - Bun.stringWidth(cell)));
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}
