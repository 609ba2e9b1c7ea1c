/**
 * A tool call's id as Anthropic takes it: letters, digits, `_` and `-`. Others (`functions.f:0`)
 * are replaced, the same one always by the same.
 */
export function anthropicToolId(id: string): string {
  if (/^[\w-]{1,64}$/.test(id)) return id;
  return `toolu_${Bun.hash(id).toString(36)}`;
}
