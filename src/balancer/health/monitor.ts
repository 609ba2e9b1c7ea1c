import type { Logger } from "../../lib/log.ts";
import type { EndpointStatus } from "../../wire/endpoint.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { type CheckResult, checkEndpoint } from "./check.ts";
import { type HealthEvent, nextCheckMs, nextHealth, shownStatus } from "./state.ts";

/** Who wants to know what the checks find. */
export interface MonitorEvents {
  cameOnline(endpoint: Endpoint): void;
  /** It is offline now, or was removed. */
  wentOffline(endpoint: Endpoint): void;
  /** It may take more than before: it has other models or slots. */
  offer(endpoint: Endpoint): void;
  /** A first check is done, or an announced endpoint is no longer waited for. */
  arrived(): void;
}

/** A check that was made, and what it changed. */
export interface CheckReport {
  result: CheckResult;
  /** Unix ms. */
  checkedAt: number;
  statusBefore: EndpointStatus;
  statusAfter: EndpointStatus;
}

export interface MonitorOptions {
  /** Told of every check, once its effects are there. Default nobody. */
  onCheck?: (endpoint: Endpoint, report: CheckReport) => void;
  /** Default nobody. */
  events?: MonitorEvents;
  pool: UpstreamPool;
  log: Logger;
  /** Longest wait for one check. */
  timeoutMs: number;
}

/** The checking of one endpoint. */
interface CheckState {
  timer: Timer | undefined;
  /** When the last check began (`performance.now()`). */
  checkedAt: number;
  running: boolean;
  /** The first check is done. */
  checked: boolean;
  first: PromiseWithResolvers<void>;
}

/** However many requests break, checks of one endpoint begin at most this often. */
const SPACING_MS_MIN = 500;

/** An endpoint that was announced but has not come by then is no longer waited for. */
const EXPECTED_MS_MAX = 30_000;

/** Keeps the health and the model lists of the pool's endpoints up to date. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #patrols = new Map<Endpoint, CheckState>();
  readonly #expected = new Map<string, PromiseWithResolvers<void>>();
  readonly #stop = new AbortController();
  /** Endpoints whose first check is not done. */
  #unchecked = 0;
  #started = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /** Checks all endpoints at once and from then on regularly. */
  start(): void {
    this.#started = true;
    for (const [endpoint, patrol] of this.#patrols) this.#check(endpoint, patrol);
  }

  /** Ends all checks. */
  stop(): void {
    this.#stop.abort();
    for (const endpoint of this.#patrols.keys()) this.remove(endpoint);
  }

  /** An endpoint of this name is about to be added: `settled` waits for it. */
  expect(name: string): void {
    const arrival = Promise.withResolvers<void>();
    this.#expected.set(name, arrival);
    setTimeout(() => this.#arrived(name), EXPECTED_MS_MAX).unref();
  }

  #arrived(name: string): void {
    this.#expected.get(name)?.resolve();
    if (this.#expected.delete(name)) this.#options.events?.arrived();
  }

  /** Whether a first check, of an expected endpoint too, is still to come. */
  get pending(): boolean {
    return this.#expected.size > 0 || this.#unchecked > 0;
  }

  /** Looks after a further endpoint. */
  add(endpoint: Endpoint): void {
    this.#unchecked += 1;
    this.#arrived(endpoint.name);
    const first = Promise.withResolvers<void>();
    const patrol: CheckState = {
      timer: undefined,
      checkedAt: -Infinity,
      running: false,
      checked: false,
      first,
    };
    this.#patrols.set(endpoint, patrol);
    if (this.#started) this.#check(endpoint, patrol);
  }

  /** Ends the checks of an endpoint that is no longer part of the pool. */
  remove(endpoint: Endpoint): void {
    const patrol = this.#patrols.get(endpoint);
    if (patrol === undefined) return;
    this.#patrols.delete(endpoint);
    clearTimeout(patrol.timer);
    this.#settle(patrol);
    this.#options.events?.wentOffline(endpoint);
  }

  #settle(patrol: CheckState): void {
    if (patrol.checked) return;
    patrol.checked = true;
    this.#unchecked -= 1;
    patrol.first.resolve();
    this.#options.events?.arrived();
  }

  /** Settles when the first check of every endpoint, expected ones included, is done. */
  async settled(): Promise<void> {
    await Promise.all([...this.#expected.values()].map(({ promise }) => promise));
    await Promise.all([...this.#patrols.values()].map(({ first }) => first.promise));
  }

  /** A request to an endpoint broke off: counts it and checks the endpoint at once. */
  requestBroke(endpoint: Endpoint): void {
    this.#apply(endpoint, "request_broke", "a request broke off");
    const patrol = this.#patrols.get(endpoint);
    if (patrol === undefined || patrol.running || !this.#started) return;
    const waitMs = patrol.checkedAt + SPACING_MS_MIN - performance.now();
    this.#schedule(endpoint, patrol, Math.max(0, waitMs));
  }

  #schedule(endpoint: Endpoint, patrol: CheckState, delayMs: number): void {
    clearTimeout(patrol.timer);
    patrol.timer = setTimeout(() => this.#check(endpoint, patrol), delayMs);
  }

  /** Checks an endpoint now, whenever it was checked last. Never throws. */
  async checkNow(endpoint: Endpoint, timeoutMs = this.#options.timeoutMs): Promise<CheckResult> {
    const patrol = this.#patrols.get(endpoint);
    if (patrol !== undefined) patrol.checkedAt = performance.now();
    const result = await checkEndpoint(endpoint, { timeoutMs, signal: this.#stop.signal });
    // A periodic check that runs at the same time schedules the next one.
    if (patrol === undefined || this.#patrols.get(endpoint) !== patrol) return result;
    this.#report(endpoint, result);
    this.#settle(patrol);
    if (!patrol.running && this.#started) this.#scheduleNext(endpoint, patrol);
    return result;
  }

  /** An endpoint said that it leaves: nothing is sent to it until a check succeeds. */
  left(endpoint: Endpoint): void {
    this.#apply(endpoint, "left", "it said that it leaves");
  }

  async #check(endpoint: Endpoint, patrol: CheckState): Promise<void> {
    patrol.running = true;
    patrol.checkedAt = performance.now();
    const { timeoutMs } = this.#options;
    const result = await checkEndpoint(endpoint, { timeoutMs, signal: this.#stop.signal });
    patrol.running = false;
    // Removed meanwhile, or added again with another address.
    if (this.#patrols.get(endpoint) !== patrol) return;
    this.#report(endpoint, result);
    this.#settle(patrol);
    this.#scheduleNext(endpoint, patrol);
  }

  #scheduleNext(endpoint: Endpoint, patrol: CheckState): void {
    const { healthIntervalMs } = endpoint.facts;
    this.#schedule(endpoint, patrol, nextCheckMs(endpoint.health, healthIntervalMs, Math.random()));
  }

  #report(endpoint: Endpoint, result: CheckResult): void {
    const checkedAt = Date.now();
    const statusBefore = shownStatus(endpoint.health);
    const { lastSeenAt } = endpoint.lastCheck;
    if (result.ok) {
      endpoint.lastCheck = { latencyMs: result.latencyMs, lastSeenAt: checkedAt, lastError: null };
      this.#applyAnswer(endpoint, result);
      this.#apply(endpoint, "check_ok");
      this.#options.events?.offer(endpoint);
    } else {
      endpoint.lastCheck = { latencyMs: null, lastSeenAt, lastError: result.reason };
      const isNew = performance.now() < endpoint.graceUntil;
      this.#apply(endpoint, isNew ? "look_failed" : "check_failed", result.reason);
    }
    const statusAfter = shownStatus(endpoint.health);
    this.#options.onCheck?.(endpoint, { result, checkedAt, statusBefore, statusAfter });
  }

  /** Takes in what an endpoint lists and says of its load. */
  #applyAnswer(endpoint: Endpoint, { models, system }: CheckResult & { ok: true }): void {
    this.#options.pool.setModels(endpoint, models);
    if (system === undefined) return;
    endpoint.applySystem(system);
  }

  #apply(endpoint: Endpoint, event: HealthEvent, reason?: string): void {
    const before = endpoint.health.status;
    endpoint.health = nextHealth(endpoint.health, event);
    const { status } = endpoint.health;
    if (status === before) return;
    // It may come back as another machine.
    if (status === "offline") endpoint.latency.reset();
    if (status === "online") this.#options.events?.cameOnline(endpoint);
    else if (status === "offline") this.#options.events?.wentOffline(endpoint);
    const fields = { endpoint: endpoint.name, models: endpoint.models?.size ?? 0 };
    if (status === "offline") this.#options.log.warn({ ...fields, reason }, "endpoint.offline");
    else this.#options.log.info(fields, `endpoint.${status}`);
  }
}
