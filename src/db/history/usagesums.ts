import type { NewRequestRow } from "./requests.ts";
import { dayOf, type UsageTotals } from "./usage.ts";

/** What some requests add to the statistics, in one row for all that are alike. */
export class UsageSums {
  /** By what tells them apart. */
  readonly #sums = new Map<string, { keys: string[]; totals: UsageTotals }>();
  /** The day that was looked for last, and when it begins and ends: most requests share it. */
  #day = "";
  #dayStartMs = 0;
  #dayEndMs = 0;

  /** Counts a request; one of a client that left is neither `succeeded` nor failed. */
  add(request: NewRequestRow, failed: boolean): void {
    const { totals } = this.#sumOf(request);
    totals.requests += 1;
    totals.succeeded += +request.succeeded;
    totals.failed += +failed;
    totals.inputTokens += request.inputTokens ?? 0;
    totals.outputTokens += request.outputTokens ?? 0;
    totals.cachedTokens += request.cachedTokens ?? 0;
    totals.durationMs += request.durationMs;
  }

  /** The parameters of the statement `usage`. */
  get rows(): unknown[][] {
    return Array.from(this.#sums.values(), ({ keys, totals }) => [
      ...keys,
      ...[totals.requests, totals.succeeded, totals.failed],
      ...[totals.inputTokens, totals.outputTokens, totals.cachedTokens, totals.durationMs],
    ]);
  }

  /**
   * Names of models come from clients, and usage is never pruned: what is known to be none, or was
   * refused as the client's mistake before any endpoint saw it, is booked under no model.
   */
  #sumOf(request: NewRequestRow) {
    const { endpointId, httpStatus, apiKeyId, requestType, startedAt } = request;
    const status = httpStatus ?? 0;
    const isMistake = endpointId == null && status >= 400 && status < 500 && status !== 429;
    const model = isMistake || request.modelKnown === false ? "" : request.model;
    const day = this.#dayOf(startedAt);
    const key = `${day}\n${endpointId ?? ""}\n${apiKeyId ?? ""}\n${requestType}\n${model}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      const keys = [day, endpointId ?? "", model, apiKeyId ?? "", requestType];
      sum = { keys, totals: none() };
      this.#sums.set(key, sum);
    }
    return sum;
  }

  #dayOf(time: number): string {
    if (time >= this.#dayStartMs && time < this.#dayEndMs) return this.#day;
    const date = new Date(time);
    this.#dayStartMs = date.setHours(0, 0, 0, 0);
    this.#dayEndMs = date.setDate(date.getDate() + 1);
    this.#day = dayOf(time);
    return this.#day;
  }
}

function none(): UsageTotals {
  return {
    ...{ requests: 0, succeeded: 0, failed: 0 },
    ...{ inputTokens: 0, outputTokens: 0, cachedTokens: 0, durationMs: 0 },
  };
}
