/**
 * Whether a name fits one of the patterns, in any case; `*` stands for any characters, none as
 * well. Linear in the name, whatever the pattern.
 */
export function fitsAny(patterns: readonly string[], name: string): boolean {
  const lower = name.toLowerCase();
  return patterns.some((pattern) => fits(pattern.toLowerCase().split("*"), lower));
}

function fits(parts: string[], name: string): boolean {
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
