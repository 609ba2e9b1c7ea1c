/** A count with its thousands apart: `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** A time that something took, in three digits: `0.85 ms`, `340 ms`, `1.25 s`, `83 s`. */
export function tookText(ms: number): string {
  return ms < 999.5 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

/** An amount of money, with as many digits as it takes: `0.00125`, `12.30`. */
export function moneyText(amount: number): string {
  return amount >= 1 || amount === 0 ? amount.toFixed(2) : String(Number(amount.toPrecision(3)));
}

/** The local time of an RFC 3339 one: `2026-01-31 12:00:00`. */
export function localTime(time: string): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

function digits(value: number): string {
  return String(Number(value >= 100 ? value.toFixed(0) : value.toPrecision(3)));
}
