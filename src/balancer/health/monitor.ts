import type { Hops } from "../../http/proxy/hops.ts";
import type { Logger } from "../../lib/log.ts";
import { monotonicMs } from "../../lib/monotonic.ts";
import type { EndpointStatus } from "../../wire/endpoint.ts";
import { ApiError } from "../../wire/error.ts";
import type { WarmthReport } from "../routing/warmth.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { modelsLimited } from "../upstream/listedmodels.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { type CheckResult, checkEndpoint } from "./check.ts";
import {
  type HealthEvent,
  isHanging,
  nextCheckMs,
  nextHealth,
  shownStatus,
} from "./healthstate.ts";

/** Is notified when the results of checks change what the pool can do. */
export interface MonitorListener {
  cameOnline(endpoint: Endpoint): void;
  /** The endpoint is offline, or was removed. */
  wentOffline(endpoint: Endpoint): void;
  /** A check succeeded: the endpoint may have other models or more slots than before. */
  capacityChanged(endpoint: Endpoint): void;
  /** The first check of an endpoint is done, or an expected endpoint was added or did not come. */
  availabilityChanged(): void;
}

/** A check, and the statuses of the endpoint before and after it. */
export interface CheckReport {
  result: CheckResult;
  /** Unix ms. */
  checkedAt: number;
  statusBefore: EndpointStatus;
  statusAfter: EndpointStatus;
}

export interface MonitorOptions {
  /** Called after every check, when its result is applied. */
  onCheck?: (endpoint: Endpoint, report: CheckReport) => void;
  listener?: MonitorListener;
  pool: UpstreamPool;
  log: Logger;
  /** Longest wait for one check. */
  timeoutMs: number;
  /** By which an endpoint that is this balancer is noticed. */
  hops: Hops;
}

/** The state of the checks of one endpoint. */
interface CheckState {
  timer: Timer | undefined;
  /** When the last check began (`performance.now()`). */
  checkedAt: number;
  /** When the first of the failed checks began after which none succeeded. */
  failingSinceMs: number;
  isRunning: boolean;
  isFirstDone: boolean;
  /** Resolves when the first check is done, or the endpoint is removed. */
  first: PromiseWithResolvers<void>;
}

/** Shortest time between checks of one endpoint because of requests that broke off. */
const SPACING_MS_MIN = 500;

/** Checks of a node in one interval: it answers them at any time, and what runs there is ours. */
const NODE_CHECKS = 3;

/** Longest wait for an expected endpoint. */
const EXPECTED_MS_MAX = 30_000;

/** Keeps the health and the model lists of the pool's endpoints up to date. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #checks = new Map<Endpoint, CheckState>();
  /** The endpoints that will be added, by name. */
  readonly #expected = new Map<string, PromiseWithResolvers<void>>();
  readonly #stop = new AbortController();
  /** Endpoints whose first check is not done. */
  #unchecked = 0;
  #isStarted = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /** Checks all endpoints at once and from then on regularly. */
  start(): void {
    this.#isStarted = true;
    for (const [endpoint, check] of this.#checks) this.#check(endpoint, check);
  }

  /** Ends all checks. */
  stop(): void {
    this.#stop.abort();
    for (const endpoint of this.#checks.keys()) this.remove(endpoint);
  }

  /** Makes `settled` wait for an endpoint of this name, which will be added soon. */
  expect(name: string): void {
    const arrival = Promise.withResolvers<void>();
    this.#expected.set(name, arrival);
    setTimeout(() => this.#endExpectation(name), EXPECTED_MS_MAX).unref();
  }

  #endExpectation(name: string): void {
    this.#expected.get(name)?.resolve();
    if (this.#expected.delete(name)) this.#options.listener?.availabilityChanged();
  }

  /** Whether the first check of an endpoint, or of an expected one, is not done. */
  get pending(): boolean {
    return this.#expected.size > 0 || this.#unchecked > 0;
  }

  /** Begins the checks of an endpoint. */
  add(endpoint: Endpoint): void {
    this.#unchecked += 1;
    this.#endExpectation(endpoint.name);
    const first = Promise.withResolvers<void>();
    const check: CheckState = {
      timer: undefined,
      checkedAt: -Infinity,
      failingSinceMs: Infinity,
      isRunning: false,
      isFirstDone: false,
      first,
    };
    this.#checks.set(endpoint, check);
    if (this.#isStarted) this.#check(endpoint, check);
  }

  /** Ends the checks of an endpoint that was removed from the pool. */
  remove(endpoint: Endpoint): void {
    const check = this.#checks.get(endpoint);
    if (check === undefined) return;
    this.#checks.delete(endpoint);
    clearTimeout(check.timer);
    this.#finishFirst(check);
    this.#options.listener?.wentOffline(endpoint);
  }

  #finishFirst(check: CheckState): void {
    if (check.isFirstDone) return;
    check.isFirstDone = true;
    this.#unchecked -= 1;
    check.first.resolve();
    this.#options.listener?.availabilityChanged();
  }

  /** Settles when the first check of every endpoint, expected ones included, is done. */
  async settled(): Promise<void> {
    await Promise.all([...this.#expected.values()].map(({ promise }) => promise));
    await Promise.all([...this.#checks.values()].map(({ first }) => first.promise));
  }

  /** Counts a request that broke off as a failure of the endpoint, and checks it at once. */
  countBrokenRequest(endpoint: Endpoint): void {
    this.#apply(endpoint, "request_broke", "a request broke off");
    this.checkSoon(endpoint);
  }

  /** Checks an endpoint now, or half a second after its last check. */
  checkSoon(endpoint: Endpoint): void {
    const check = this.#checks.get(endpoint);
    if (check === undefined || check.isRunning || !this.#isStarted) return;
    const waitMs = check.checkedAt + SPACING_MS_MIN - performance.now();
    this.#schedule(endpoint, check, Math.max(0, waitMs));
  }

  #schedule(endpoint: Endpoint, check: CheckState, delayMs: number): void {
    clearTimeout(check.timer);
    check.timer = setTimeout(() => this.#check(endpoint, check), delayMs);
  }

  /** Checks an endpoint now, even if it was checked just before. Never throws. */
  async checkNow(endpoint: Endpoint, timeoutMs = this.#options.timeoutMs): Promise<CheckResult> {
    const check = this.#checks.get(endpoint);
    if (check !== undefined) check.checkedAt = performance.now();
    const result = await this.#ask(endpoint, timeoutMs);
    if (check === undefined || this.#checks.get(endpoint) !== check) return result;
    this.#report(endpoint, check, result);
    this.#finishFirst(check);
    // A periodic check that runs at the same time schedules the next one itself.
    if (!check.isRunning && this.#isStarted) this.#scheduleNext(endpoint, check);
    return result;
  }

  /** Makes an endpoint offline, whose node announced that it leaves, until a check succeeds. */
  nodeLeft(endpoint: Endpoint): void {
    this.#apply(endpoint, "node_left", "it said that it leaves");
  }

  async #check(endpoint: Endpoint, check: CheckState): Promise<void> {
    check.isRunning = true;
    check.checkedAt = performance.now();
    const result = await this.#ask(endpoint, this.#options.timeoutMs);
    check.isRunning = false;
    // The endpoint was removed, or added again with another address, in the meantime.
    if (this.#checks.get(endpoint) !== check) return;
    this.#report(endpoint, check, result);
    this.#finishFirst(check);
    this.#scheduleNext(endpoint, check);
  }

  /** Takes what an endpoint told by itself of what it has loaded. */
  warmthChanged(endpoint: Endpoint, warmth: WarmthReport): void {
    const nowMs = monotonicMs();
    endpoint.warmth.apply(warmth, { askedAtMs: nowMs, nowMs });
    this.#options.listener?.capacityChanged(endpoint);
  }

  /** An endpoint is no longer drained: who waits may have its slots. */
  takesRequests(endpoint: Endpoint): void {
    this.#options.listener?.capacityChanged(endpoint);
  }

  async #ask(endpoint: Endpoint, timeoutMs: number): Promise<CheckResult> {
    const hops = this.#options.hops.after();
    const answered = endpoint.silent.beginCheck(performance.now());
    const { signal } = this.#stop;
    const result = await checkEndpoint(endpoint, { timeoutMs, signal, hops });
    if (result.ok || result.failure !== "connection") answered();
    return result;
  }

  #scheduleNext(endpoint: Endpoint, check: CheckState): void {
    const { healthIntervalMs, kind } = endpoint.facts;
    // One of which nothing is known yet may be a node.
    const isNode = kind === "llmlb" || kind === null;
    const intervalMs = isNode ? healthIntervalMs / NODE_CHECKS : healthIntervalMs;
    this.#schedule(endpoint, check, nextCheckMs(endpoint.health, intervalMs, Math.random()));
  }

  #report(endpoint: Endpoint, check: CheckState, result: CheckResult): void {
    const checkedAt = Date.now();
    const statusBefore = shownStatus(endpoint.health);
    const { lastSeenAt } = endpoint.lastCheck;
    check.failingSinceMs = result.ok ? Infinity : Math.min(check.failingSinceMs, check.checkedAt);
    if (result.ok) {
      endpoint.lastCheck = { latencyMs: result.latencyMs, lastSeenAt: checkedAt, lastError: null };
      this.#applyAnswer(endpoint, result, performance.timeOrigin + check.checkedAt);
      this.#apply(endpoint, "check_ok");
      this.#options.listener?.capacityChanged(endpoint);
    } else {
      endpoint.lastCheck = { latencyMs: null, lastSeenAt, lastError: result.reason };
      const isNew = performance.now() < endpoint.graceUntil;
      this.#apply(endpoint, isNew ? "grace_check_failed" : "check_failed", result.reason);
      if (isHanging(endpoint.health) && endpoint.answersBeside)
        endpoint.silent.end(hangs(endpoint), check.failingSinceMs);
    }
    const statusAfter = shownStatus(endpoint.health);
    this.#options.onCheck?.(endpoint, { result, checkedAt, statusBefore, statusAfter });
  }

  /** Applies the list of models and the system report of an endpoint. */
  #applyAnswer(
    endpoint: Endpoint,
    { models, listed, system, warmth }: CheckResult & { ok: true },
    askedAtMs: number,
  ): void {
    this.#options.pool.setModels(endpoint, models);
    if (modelsLimited(listed) !== null && listed !== endpoint.listed) {
      const fields = { endpoint: endpoint.name, listed, used: models.size };
      this.#options.log.warn(fields, "endpoint.models_limited");
    }
    endpoint.listed = listed;
    if (system !== undefined) endpoint.applySystem(system);
    if (warmth !== undefined) endpoint.warmth.apply(warmth, { askedAtMs, nowMs: monotonicMs() });
  }

  #apply(endpoint: Endpoint, event: HealthEvent, reason?: string): void {
    const before = endpoint.health.status;
    endpoint.health = nextHealth(endpoint.health, event);
    const { status } = endpoint.health;
    if (status === before) return;
    // Another machine may have its address when it is back.
    if (status === "offline") endpoint.latency.reset();
    if (status === "online") this.#options.listener?.cameOnline(endpoint);
    else if (status === "offline") this.#options.listener?.wentOffline(endpoint);
    const fields = { endpoint: endpoint.name, models: endpoint.models?.size ?? 0 };
    if (status === "offline") this.#options.log.warn({ ...fields, reason }, "endpoint.offline");
    else this.#options.log.info(fields, `endpoint.${status}`);
  }
}

/** Why a request is ended that an endpoint has, as far as anybody can see, forgotten. */
function hangs({ name, lastCheck }: Endpoint): ApiError {
  const message = `The request failed at endpoint ${name}: nothing more of its answer came, and \
checks of it fail: ${lastCheck.lastError}. Send it again.`;
  return new ApiError("upstream", message);
}
