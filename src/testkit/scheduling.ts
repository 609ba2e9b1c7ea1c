import type { Grant } from "../balancer/routing/grant.ts";
import { Scheduler, type SchedulerOptions } from "../balancer/routing/scheduler.ts";
import type { SlotOutcome, SlotRequest } from "../balancer/routing/slotrequest.ts";
import { TestEndpoint, type TestEndpointOptions } from "./routable.ts";

type Options = Partial<SchedulerOptions<TestEndpoint>>;

/** A scheduler over endpoints, and what was settled by it, in order. */
export function setup(endpoints: TestEndpointOptions[], options: Options = {}) {
  const all = endpoints.map((one, i) => new TestEndpoint({ name: "abcdef"[i] ?? "z", ...one }));
  const scheduler = new Scheduler<TestEndpoint>({
    candidates: (model) => all.filter(({ served }) => served.has(model)),
    ...options,
  });
  const settled: string[] = [];
  const grants = new Map<string, Grant<TestEndpoint>>();

  /** Asks for a slot under a name and takes note of what becomes of it. */
  function ask(
    name: string,
    more: Partial<SlotRequest<TestEndpoint>> = {},
  ): SlotOutcome<TestEndpoint> {
    const outcome = scheduler.request({ model: "m", client: "c", nowMs: 0, ...more });
    if (outcome.kind === "granted") grants.set(name, outcome.grant);
    if (outcome.kind === "queued") {
      outcome.waiting.onSettled = (late) => {
        if (late.kind === "granted") grants.set(name, late.grant);
        const by = late.kind === "granted" ? late.grant.endpoint.name : late.kind;
        settled.push(`${name}:${by}`);
      };
    }
    return outcome;
  }
  const finish = (name: string, nowMs = 0) =>
    grants.get(name)?.finish({ success: true, nowMs, latencyMs: 1 });
  return { scheduler, all, settled, grants, ask, finish };
}

/** The first of a list that has one. */
export function only<T>(items: T[]): T {
  const [first] = items;
  if (first === undefined) throw new Error("there is none");
  return first;
}
