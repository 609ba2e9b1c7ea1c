/** A new unique id `prefix_…`: time-ordered, 32 hexadecimal digits after the prefix. */
export function newId(prefix: string): string {
  return `${prefix}_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
}
