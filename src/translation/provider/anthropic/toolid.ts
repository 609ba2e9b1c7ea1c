/**
 * A tool call's id in the characters that Anthropic takes: letters, digits, `_` and `-`. Any other
 * id (`functions.f:0`) is replaced, always by the same one.
 */
export function anthropicToolId(id: string): string {
  if (/^[\w-]{1,64}$/.test(id)) return id;
  return `toolu_${Bun.hash(id).toString(36)}`;
}
