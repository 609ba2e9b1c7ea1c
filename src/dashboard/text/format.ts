import { useLanguage } from "./i18n.ts";

export interface Format {
  /** 12,345 */
  count(value: number): string;
  /** 12.3 or 1,234: as many digits as tell something. */
  rate(value: number): string;
  /** A time span: 12 ms, 1.2 s, 3 min 5 s. */
  duration(ms: number | null | undefined): string;
  bytes(value: number): string;
  /** An amount in the currency of the prices: 12.50, or 0.00042. */
  money(value: number): string;
  percent(share: number): string;
  /** A time in the reader's zone, with the date unless it is today. */
  time(rfc3339: string): string;
  /** A day (`YYYY-MM-DD`): Mar 14. */
  day(day: string): string;
  /** A month (`YYYY-MM`): Mar 2026. */
  month(month: string): string;
  /** A time of the day: 14:05. */
  clock(rfc3339: string): string;
  /** 3 min. ago; in 90 days. */
  ago(rfc3339: string): string;
}

/** What stands where nothing was measured. */
export const NOTHING = "–";

/** How numbers and times are written in the reader's language and time zone. */
export function useFormat(): Format {
  const [language] = useLanguage();
  return formatOf(language);
}

const formats = new Map<string, Format>();

function formatOf(language: string): Format {
  const known = formats.get(language);
  if (known !== undefined) return known;
  const format = makeFormat(language);
  formats.set(language, format);
  return format;
}

function makeFormat(language: string): Format {
  const count = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const fine = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const hours = new Intl.DateTimeFormat(language, { timeStyle: "short" });
  const utc = { timeZone: "UTC", month: "short" } as const;
  const day = new Intl.DateTimeFormat(language, { ...utc, day: "numeric" });
  const month = new Intl.DateTimeFormat(language, { ...utc, year: "numeric" });
  const cents = new Intl.NumberFormat(language, {
    ...{ minimumFractionDigits: 2 },
    maximumFractionDigits: 2,
  });
  const small = new Intl.NumberFormat(language, { maximumSignificantDigits: 2 });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const rate = (value: number) => (value >= 100 ? count : fine).format(value);
  return {
    count: (value) => count.format(value),
    rate,
    percent: (share) => percent.format(share),
    duration: (ms) => (ms === null || ms === undefined ? NOTHING : durationOf(ms, rate)),
    money: (value) => (value !== 0 && Math.abs(value) < 0.1 ? small : cents).format(value),
    bytes: (value) => bytesOf(value, rate),
    time(text) {
      const at = new Date(text);
      const isToday = at.toDateString() === new Date().toDateString();
      return (isToday ? clock : date).format(at);
    },
    day: (text) => day.format(new Date(`${text}T00:00Z`)),
    month: (text) => month.format(new Date(`${text}-01T00:00Z`)),
    clock: (text) => hours.format(new Date(text)),
    ago: (text) => agoOf(Date.parse(text) - Date.now(), relative),
  };
}

function durationOf(ms: number, rate: (value: number) => string): string {
  if (ms < 1000) return `${rate(ms < 10 ? ms : Math.round(ms))} ms`;
  if (ms < 60_000) return `${rate(ms / 1000)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

function bytesOf(value: number, rate: (value: number) => string): string {
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < BYTE_UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${rate(size)} ${BYTE_UNITS[unit]}`;
}

const AGO: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

function agoOf(ms: number, relative: Intl.RelativeTimeFormat): string {
  const [unit, size] = AGO.find(([, unitMs]) => Math.abs(ms) >= unitMs) ?? ["second", 1000];
  // What was made a second ago to last for 90 days lasts for 90.
  return relative.format(ms < 0 ? Math.trunc(ms / size) : Math.round(ms / size), unit);
}
