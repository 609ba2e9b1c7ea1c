/** What a field for a number holds, null for nothing; text the server refuses in its own words. */
export function numberIn(text: string): number | string | null {
  const given = text.trim();
  if (given === "") return null;
  return Number.isNaN(Number(given)) ? given : Number(given);
}
