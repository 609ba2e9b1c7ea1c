/**
 * Models of one list that are used: the first ones. What lists more, by fault or by malice, would
 * take the time and the memory of all others; the largest provider lists some hundred.
 */
export const LISTED_MODELS_MAX = 5000;

/** Why not all models of a list are there; null if they are. */
export function modelsLimited(listed: number): string | null {
  if (listed <= LISTED_MODELS_MAX) return null;
  return `It lists ${listed} models; the first ${LISTED_MODELS_MAX} are used.`;
}
