/**
 * The candidate with the smallest edit distance to `word`, in any case, of several the one whose
 * length is nearest; undefined if the distance is above two, or above a third of a long word.
 */
export function closestWord(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestLength = 0;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const isNearer = Math.abs(candidate.length - word.length) < Math.abs(bestLength - word.length);
    if (distance < bestDistance || (distance === bestDistance && best !== undefined && isNearer)) {
      best = candidate;
      bestDistance = distance;
      bestLength = candidate.length;
    }
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours between two words (Damerau). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, char] of [...a].entries()) {
    const row = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (previous[j] ?? 0) + (char === other ? 0 : 1);
      const isSwap = j > 0 && char === b[j - 1] && a[i - 1] === other;
      const swapped = isSwap ? (before[j - 1] ?? 0) + 1 : replaced;
      row.push(Math.min(replaced, swapped, (previous[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? a.length;
}
