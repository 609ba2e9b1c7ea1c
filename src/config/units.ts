const BYTES: Record<string, number> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  kb: 1000,
  kib: 2 ** 10,
  m: 2 ** 20,
  mb: 1000 ** 2,
  mib: 2 ** 20,
  g: 2 ** 30,
  gb: 1000 ** 3,
  gib: 2 ** 30,
  t: 2 ** 40,
  tb: 1000 ** 4,
  tib: 2 ** 40,
};

const MILLISECONDS: Record<string, number> = {
  ms: 1,
  "": 1000,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const QUANTITY = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/;

/** Reads a size such as `64MiB`, `1.5GB` or `1048576` (bytes); undefined if it is none. */
export function parseBytes(text: string): number | undefined {
  return quantity(text, BYTES);
}

/** Reads a duration such as `500ms`, `30s` or `30` (seconds) as ms; undefined if it is none. */
export function parseDurationMs(text: string): number | undefined {
  return quantity(text, MILLISECONDS);
}

function quantity(text: string, factors: Record<string, number>): number | undefined {
  const [, digits, unit] = QUANTITY.exec(text.trim().toLowerCase()) ?? [];
  if (digits === undefined || unit === undefined || !Object.hasOwn(factors, unit)) return undefined;
  const value = Number(digits) * (factors[unit] ?? 1);
  return Number.isSafeInteger(Math.round(value)) ? Math.round(value) : undefined;
}

/** A setting's value for people: a number by its unit, all else as it is. */
export function formatQuantity(value: unknown, unit: "ms" | "bytes" | undefined): string {
  if (typeof value !== "number" || unit === undefined) return String(value);
  return unit === "ms" ? formatDuration(value) : formatBytes(value);
}

/** A size for people, exact for whole binary units: `64 MiB`, `1.4 GiB`, `12 B`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let step = 0;
  while (value >= 1024 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[step]}`;
}

/** A duration for people: `500 ms`, `30 s`, `10 min`, `2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000 || (ms < 3_600_000 && ms % 60_000 !== 0)) return `${trim(ms / 1000)} s`;
  if (ms < 7_200_000) return `${trim(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${trim(ms / 3_600_000)} h` : `${trim(ms / 86_400_000)} d`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(1)));
}
