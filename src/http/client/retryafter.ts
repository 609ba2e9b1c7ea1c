/**
 * The wait that a `Retry-After` field asks for, in seconds or until a date, in ms; undefined if it
 * is absent or neither. Source: RFC 9110, 10.2.3.
 */
export function retryAfterMs(value: string | null | undefined): number | undefined {
  if (value == null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
