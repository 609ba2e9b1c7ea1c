import type { DeviceInfo } from "../../db/state/endpoint.ts";
import type { ForwardProxy } from "../../http/client/proxy.ts";
import type { ForwardTarget } from "../../http/proxy/forward.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import type { InferenceRoute, RouteName } from "../../wire/route.ts";
import { type Health, PENDING } from "../health/state.ts";
import type { SystemReport } from "../health/system.ts";
import { Circuit } from "../routing/circuit.ts";
import { Latency } from "../routing/latency.ts";
import { Load, SLOTS_DEFAULT } from "../routing/load.ts";
import { routesOfKind, usageSupportOfKind } from "./kind.ts";
import { translatorOf } from "./translator.ts";
import type { RouteSupport, Upstream, UsageSupport } from "./upstream.ts";

/** The models an endpoint lists, by id. */
export type ModelMap = ReadonlyMap<string, ModelEntry>;

/** Who says what an endpoint is: an operator, the configuration, an enrolled node, this process. */
export type EndpointSource = "api" | "config" | "node" | "local";

/** What is set or known of an endpoint, other than its state of this moment. */
export interface EndpointFacts {
  /** Unique; shown in errors, logs and `/ready`. */
  name: string;
  /** Base URL; a final `/v1` is ignored. */
  url: string;
  /** Sent to it as `Authorization: Bearer`. */
  apiKey: string | undefined;
  source: EndpointSource;
  /** What answers there; null until that was found out. */
  kind: EndpointKind | null;
  healthIntervalMs: number;
  /** Longest wait for an answer to begin. */
  inferenceTimeoutMs: number;
  notes: string | null;
  capabilities: string[];
  /** As the operator wants it; null: as the endpoint says, else `slotsDefault`. */
  slots: number | null;
  slotsDefault: number;
  /** Through which it is asked. */
  proxy: ForwardProxy | undefined;
  deviceInfo: DeviceInfo | null;
  /** Unix ms. */
  registeredAt: number;
}

/** What an endpoint is made of: name and address; the rest has defaults. */
export type EndpointOptions = Pick<EndpointFacts, "name" | "url"> & Partial<EndpointFacts>;

/** What the last health check told. */
export interface LastCheck {
  /** Its duration; null when it failed. */
  latencyMs: number | null;
  /** When the last one succeeded, unix ms. */
  lastSeenAt: number | null;
  /** Why the last one failed; null when it did not. */
  lastError: string | null;
}

export const FACTS_DEFAULT: Omit<EndpointFacts, "name" | "url"> = {
  apiKey: undefined,
  source: "api",
  kind: null,
  healthIntervalMs: 30_000,
  inferenceTimeoutMs: 120_000,
  notes: null,
  capabilities: ["chat_completion"],
  slots: null,
  slotsDefault: SLOTS_DEFAULT,
  proxy: undefined,
  deviceInfo: null,
  registeredAt: 0,
};

/** A server that requests are balanced over: its address and what is known of its state. */
export class Endpoint implements Upstream {
  readonly fetchesImages = false;
  readonly id: string;
  health: Health = PENDING;
  /** Until then a failing check leaves it `pending` (`performance.now()`). */
  graceUntil = 0;
  lastCheck: LastCheck = { latencyMs: null, lastSeenAt: null, lastError: null };
  readonly load = new Load();
  readonly latency = new Latency();
  readonly circuit = new Circuit();
  /** The last list it gave; undefined as long as it gave none. */
  models: ModelMap | undefined;
  /** The same by the id of the model; the values are its own names. The pool keeps it. */
  served: ReadonlyMap<string, string> = new Map();
  /** Unix seconds of the first list. */
  seenAt = 0;
  /** Its own names of the models that it has loaded; undefined where it does not say. */
  readyModels: ReadonlySet<string> | undefined;
  /** Slots that it says it has; undefined where it does not say. */
  #slotsTold: number | undefined;
  #facts: EndpointFacts;
  #base = "";
  #headers: Record<string, string> = {};
  /** The optional routes that it was found to have; undefined until it was asked. */
  routes: ReadonlySet<RouteName> | undefined;
  /** It is being asked what it is and which routes it has. */
  isDetecting = false;

  constructor(given: EndpointOptions, id: string = crypto.randomUUID()) {
    this.id = id;
    this.#facts = { ...FACTS_DEFAULT, ...given };
    this.change({});
  }

  get name(): string {
    return this.#facts.name;
  }

  get facts(): Readonly<EndpointFacts> {
    return this.#facts;
  }

  get url(): string {
    return this.#facts.url;
  }

  get usageSupport(): UsageSupport {
    return usageSupportOfKind(this.#facts.kind);
  }

  /** Whether it has a route: it was found to, or servers of its kind do as a rule. */
  hasRoute({ name, presence }: Pick<InferenceRoute, "name" | "presence">): boolean {
    if (presence === "always") return true;
    return this.routes?.has(name) ?? routesOfKind(this.#facts.kind).includes(name);
  }

  supportOf(route: InferenceRoute): RouteSupport {
    return this.hasRoute(route) ? "native" : (translatorOf(route.name) ?? "native");
  }

  modelName(id: string, asked: string): string {
    return this.served.get(id) ?? asked;
  }

  /** Takes other facts from now on; what runs goes on as it was sent. */
  change(facts: Partial<EndpointFacts>): void {
    // What another machine said of itself.
    if (facts.url !== undefined && facts.url !== this.#facts.url) this.#slotsTold = undefined;
    this.#facts = { ...this.#facts, ...facts };
    const { url, apiKey } = this.#facts;
    // People paste the base URL of an SDK, which ends in /v1.
    this.#base = url.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    this.#applySlots();
  }

  /** Takes note of what the endpoint says of itself. */
  applySystem({ slots, device, models }: SystemReport): void {
    if (device !== undefined) this.#facts = { ...this.#facts, deviceInfo: device };
    if (models !== undefined) {
      const ready = models.filter(({ state }) => state === "ready");
      this.readyModels = new Set(ready.flatMap(({ id }) => id ?? []));
    }
    if (slots === undefined) return;
    if (slots.total >= 1) this.#slotsTold = Math.floor(slots.total);
    this.#applySlots();
  }

  #applySlots(): void {
    const { slots, slotsDefault } = this.#facts;
    this.load.slots = slots ?? this.#slotsTold ?? slotsDefault;
  }

  /** Where to send a request for `pathAndQuery`, with the endpoint's own key. */
  target(pathAndQuery: string): ForwardTarget & { headers: Record<string, string> } {
    return {
      url: this.#base + pathAndQuery,
      headers: this.#headers,
      proxy: this.#facts.proxy,
      label: `endpoint ${this.#facts.name}`,
    };
  }
}

/** What an endpoint lists of a model, by the balancer's id of it; nothing if it does not. */
export function entryOf(
  { models, served }: Pick<Endpoint, "models" | "served">,
  id: string,
): Partial<ModelEntry> {
  return models?.get(served.get(id) ?? id) ?? {};
}
