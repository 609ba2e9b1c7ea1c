/**
 * Where what was printed is not what a page shows: the first line of the page that is not there.
 * Undefined if all is there. `…` in a line stands for anything, a line of `…` alone for any lines.
 * Blank lines and the width of blanks do not matter.
 */
export function firstMissing(shown: string, printed: string): string | undefined {
  const lines = linesOf(printed);
  let next = 0;
  let isAnywhere = false;
  for (const line of linesOf(shown)) {
    if (line === "…") {
      isAnywhere = true;
      continue;
    }
    const pattern = patternOf(line);
    const rest = isAnywhere ? lines.slice(next) : lines.slice(next, next + 1);
    const found = rest.findIndex((one) => pattern.test(one));
    if (found === -1) return line;
    next += found + 1;
    isAnywhere = false;
  }
  return isAnywhere || next === lines.length ? undefined : `the end, before: ${lines[next]}`;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/\s+/g, " ").trim());
  return lines.filter((line) => line !== "");
}

function patternOf(line: string): RegExp {
  const parts = line.split("…").map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join(".*")}$`);
}
