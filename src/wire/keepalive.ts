const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Timers take no longer delay. */
const MS_MAX = 2 ** 31 - 1;

/**
 * How long a model stays loaded after its last request, in ms, as Ollama's clients write it:
 * seconds as a number or text, or times such as `5m` or `1h30m`; negative ones, and those beyond
 * what timers take, are `Infinity`. Undefined for anything else.
 */
export function parseKeepAlive(value: unknown): number | undefined {
  if (typeof value === "number") return keptFor(value * 1000);
  if (typeof value !== "string") return undefined;
  const text = value.trim().toLowerCase();
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return keptFor(Number(text) * 1000);
  const [, sign, times = ""] = /^([+-]?)((?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  let ms = 0;
  for (const [, digits, unit = ""] of times.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    ms += Number(digits) * (UNITS[unit] ?? 0);
  }
  return keptFor(sign === "-" ? -ms : ms);
}

function keptFor(ms: number): number | undefined {
  if (Number.isNaN(ms)) return undefined;
  return ms < 0 || ms > MS_MAX ? Number.POSITIVE_INFINITY : Math.round(ms);
}
