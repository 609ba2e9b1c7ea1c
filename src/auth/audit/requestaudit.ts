import type { AuditEvent } from "../../db/audit/record.ts";
import { SAFE_METHODS } from "../../http/server/origin.ts";
import type { Auditor, MatchedRoutes, Scope } from "../../http/server/scope.ts";
import { ApiError } from "../../wire/error.ts";
import { ruleOf } from "../accesstable.ts";
import { eventOf } from "./auditevent.ts";
import type { AuditLog } from "./auditlog.ts";
import { isAudited } from "./auditrule.ts";
import { Refusals } from "./refusals.ts";

const TICK_MS = 500;
const POLL_MS = 20;

/**
 * Records what requests change, and who was refused. Of a change two things are on the disk before
 * it is answered: before it runs, that it begins, and then how it ended. Whoever is let in without
 * a credential makes no beginnings: else anybody could keep the disk busy.
 */
export class RequestAudit implements Auditor {
  readonly #log: AuditLog;
  readonly #refusals = new Refusals();
  readonly #begun = new WeakMap<Scope, string>();
  readonly #timer: Timer;
  /** Changes that run. A log-in by a link is noted as one, but was not begun. */
  readonly #running = new Set<Scope>();
  /** Further ones wait for it: whether they may go on. */
  #held: PromiseWithResolvers<boolean> | undefined;

  constructor(log: AuditLog) {
    this.#log = log;
    this.#timer = setInterval(() => {
      for (const event of this.#refusals.due(Date.now())) void log.record(event);
    }, TICK_MS);
    this.#timer.unref();
  }

  begin(scope: Scope, routes: MatchedRoutes): Promise<void> | undefined {
    if (SAFE_METHODS.has(scope.req.raw.method)) return undefined;
    const route = routes().find(isAudited);
    if (route === undefined) return undefined;
    if (this.#held === undefined) return this.#admit(scope, route);
    return this.#held.promise.then((mayGoOn) => {
      if (mayGoOn) return this.#admit(scope, route);
      const message = "Another process has just taken over here: send the request again.";
      throw new ApiError("draining", message, { retryAfterS: 1 });
    });
  }

  #admit(scope: Scope, route: string): Promise<void> | undefined {
    scope.set("change", {});
    this.#running.add(scope);
    const rule = ruleOf(route);
    if (rule === "public" || rule === "node") return undefined;
    return this.#begin(scope, route);
  }

  /** Lets no further change begin until `release`; waits `waitMs` at most for those that run. */
  async hold(waitMs: number): Promise<void> {
    this.#held ??= Promise.withResolvers<boolean>();
    const endsAt = performance.now() + waitMs;
    while (this.#running.size > 0 && performance.now() < endsAt) await Bun.sleep(POLL_MS);
  }

  /** Lets those that wait go on, or refuses them. */
  release(mayGoOn: boolean): void {
    this.#held?.resolve(mayGoOn);
    if (mayGoOn) this.#held = undefined;
  }

  async #begin(scope: Scope, route: string): Promise<void> {
    const id = Bun.randomUUIDv7();
    const event = eventOf(scope, { action: "change", route, status: null });
    if (await this.#log.begin(id, event)) this.#begun.set(scope, id);
  }

  end(scope: Scope, routes: MatchedRoutes, status: number): Promise<void> | undefined {
    const change = scope.get("change");
    this.#running.delete(scope);
    // Upstreams answer with 401 and 403, too.
    const isRefused = (status === 401 || status === 403) && scope.get("failure") !== undefined;
    if (change === undefined && !isRefused) return undefined;
    const route = routes().find(isAudited) ?? routes()[0] ?? null;
    const begun = this.#begun.get(scope);
    const event = this.#eventOf(scope, { route, status, isRefused });
    if (status < 400 || begun !== undefined) return this.#log.record(event, begun);
    this.#refusals.add(event);
    return undefined;
  }

  /** Records what waits. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#refusals.rest().map((event) => this.#log.record(event)));
  }

  #eventOf(
    scope: Scope,
    { route, status, isRefused }: { route: string | null; status: number; isRefused: boolean },
  ): AuditEvent {
    const name = route?.split("/").at(-1);
    const isLogin = name === "login" || scope.get("change")?.isLogin === true;
    const ofChange = () => {
      if (status >= 400) return isLogin ? "login_failed" : isRefused ? "refused" : "failed";
      if (isLogin) return "login";
      return name === "logout" ? "logout" : "change";
    };
    return eventOf(scope, { action: ofChange(), route, status });
  }
}
