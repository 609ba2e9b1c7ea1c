/** The time now, in whole Unix seconds, as OpenAI's `created` has it. */
export function unixTimeS(): number {
  return Math.floor(Date.now() / 1000);
}
