/** Names mean a model in any case: each of them once, as it was spelled first. */
export function withoutSpellings(names: readonly string[]): string[] {
  const seen = new Map(names.toReversed().map((name) => [name.toLowerCase(), name]));
  return names.filter((name) => seen.get(name.toLowerCase()) === name);
}
