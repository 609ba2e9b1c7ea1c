/** How the line begins that Anthropic's clients put before their system text. */
const LINE = "x-anthropic-billing-header:";

/** The part of the line that differs in every request, and what stands before it. */
const STAMP = /^(x-anthropic-billing-header:[^\n]*?\bcch=)[0-9a-f]+/;

/**
 * A text of a prompt with the stamp of Anthropic's clients made the same, if it begins with one:
 * otherwise no prompt would begin like the one before it, and no cache could be used again.
 */
export function withFixedStamp(text: string): string {
  return text.startsWith(LINE) ? text.replace(STAMP, "$1-") : text;
}
