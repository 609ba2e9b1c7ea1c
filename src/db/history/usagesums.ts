import type { NewRequestRow } from "./records.ts";
import { dayOf, type UsageTotals } from "./usage.ts";

/** What a batch of requests adds to the statistics: requests that are alike make one row. */
export class UsageSums {
  /** By all of their keys, joined. */
  readonly #sums = new Map<string, { keys: string[]; totals: UsageTotals }>();
  /** The last day that was computed, its start and its end: most requests share it. */
  #day = "";
  #dayStartMs = 0;
  #dayEndMs = 0;

  /** Adds a request; it may be neither a success nor a failure. */
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
   * Clients choose the names of models, and usage is never pruned. So a request has no model here
   * if no such model exists, or if it was refused with a 4xx status, except 429, before any
   * endpoint saw it.
   */
  #sumOf(request: NewRequestRow) {
    const { endpointId, httpStatus, apiKeyId, requestType, startedAt } = request;
    const status = httpStatus ?? 0;
    const isClientError = endpointId == null && status >= 400 && status < 500 && status !== 429;
    const model = isClientError || request.modelKnown === false ? "" : request.model;
    const day = this.#dayOf(startedAt);
    const key = `${day}\n${endpointId ?? ""}\n${apiKeyId ?? ""}\n${requestType}\n${model}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      const keys = [day, endpointId ?? "", model, apiKeyId ?? "", requestType];
      sum = { keys, totals: zero() };
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

function zero(): UsageTotals {
  return {
    ...{ requests: 0, succeeded: 0, failed: 0 },
    ...{ inputTokens: 0, outputTokens: 0, cachedTokens: 0, durationMs: 0 },
  };
}
