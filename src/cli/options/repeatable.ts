/** For an option that may be repeated: the values so far, and one more. */
export function collectValues(value: string, values: string[] = []): string[] {
  return [...values, value];
}
