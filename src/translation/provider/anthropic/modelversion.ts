const VERSION = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/;

/**
 * The version of one of Anthropic's models by its name, as a number that can be compared: 4.05 for
 * Claude 4.5, 3 for Claude 3. Undefined for names that tell none.
 */
export function anthropicVersion(model: string): number | undefined {
  const found = VERSION.exec(model);
  return found === null ? undefined : Number(found[1]) + Number(found[2] ?? 0) / 100;
}
