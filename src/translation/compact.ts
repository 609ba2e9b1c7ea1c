/** An object without the fields that were undefined or null. */
export type Compact<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** A copy of an object without those fields whose value is undefined or null. */
export function compact<T extends object>(fields: T): Compact<T> {
  const entries = Object.entries(fields).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as Compact<T>;
}
