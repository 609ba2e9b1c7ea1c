import { formatBytes, formatDuration } from "../../config/units.ts";
import type { PullProgress } from "../../wire/pull.ts";
import { printable } from "./output.ts";

/** Progress as a line, e.g. `hf/org/name: 1.2 GiB of 4.7 GiB (25 %), 85 MiB/s, 41 s left`. */
export function progressText(now: PullProgress): string {
  const { model, state, bytes, total_bytes: total, rate_bytes_per_s: rate, eta_s: eta } = now;
  const percent = total === 0 ? 100 : Math.floor((bytes / total) * 100);
  const facts = [`${formatBytes(bytes)} of ${formatBytes(total)} (${percent} %)`];
  if (state === "waiting" || state === "verifying") {
    facts.push(state === "waiting" ? "waiting" : "checking");
  }
  if (state === "downloading" && rate > 0) facts.push(`${formatBytes(rate)}/s`);
  if (state === "downloading" && eta !== null) facts.push(`${formatDuration(eta * 1000)} left`);
  return printable(`${model}: ${facts.join(", ")}`);
}

/** How much of a model has been downloaded, e.g. `1.2 GiB of 4.7 GiB`. */
export function amountText({ bytes, total_bytes: total }: PullProgress): string {
  return `${formatBytes(bytes)} of ${formatBytes(total)}`;
}
