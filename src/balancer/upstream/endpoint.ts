import type { DeviceInfo } from "../../db/state/endpoints.ts";
import type { ForwardProxy } from "../../http/client/proxy.ts";
import type { ForwardTarget } from "../../http/proxy/forward.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import { apisOf } from "../health/apis.ts";
import { type Health, PENDING } from "../health/state.ts";
import type { SystemReport } from "../health/system.ts";
import { Circuit } from "../routing/circuit.ts";
import { Latency } from "../routing/latency.ts";
import { Load, SLOTS_DEFAULT } from "../routing/load.ts";

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

/** Anything requests can be routed to: its address and what we know of its state. */
export class Endpoint {
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
  /** Routes that it answers beyond those that everybody does; undefined until it was asked. */
  apis: ReadonlySet<string> | undefined;
  /** It is being asked what it is and which routes it answers. */
  asking = false;

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

  /** Whether it answers an inference route: it was found to, or servers of its kind do. */
  speaks(path: string): boolean {
    if (path === "/v1/chat/completions") return true;
    return this.apis?.has(path) ?? apisOf(this.#facts.kind).includes(path);
  }

  /**
   * How it tells the usage of a stream: only where the client asked for it (`asked`), so that
   * nothing needs to be changed; where we ask for it (`asks`); or as it likes (`unknown`).
   */
  get tellsUsage(): "asked" | "asks" | "unknown" {
    switch (this.#facts.kind) {
      // Both tell token counts with the last event anyway, as `timings`.
      case "llmlb":
      case "llama_server":
        return "asked";
      case "ollama":
      case "vllm":
      case "lm_studio":
        return "asks";
      default:
        return "unknown";
    }
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

  /** Takes note of what the endpoint says of itself at `atMs` (unix time). */
  tellSystem({ slots, device, models }: SystemReport, atMs: number): void {
    if (device !== undefined) this.#facts = { ...this.#facts, deviceInfo: device };
    if (models !== undefined) {
      const ready = models.filter(({ state }) => state === "ready");
      this.load.readyModels = { ready: ready.length, total: models.length };
      this.readyModels = new Set(ready.flatMap(({ id }) => id ?? []));
    }
    if (slots === undefined) return;
    if (slots.total >= 1) this.#slotsTold = Math.floor(slots.total);
    this.load.record({ atMs, activeRequests: slots.busy });
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
