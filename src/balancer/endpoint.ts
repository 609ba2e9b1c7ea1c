import type { EndpointSetting } from "../config/settings.ts";
import type { DeviceInfo, EndpointType } from "../db/endpoints.ts";
import type { ForwardTarget } from "../http/forward.ts";
import type { ModelEntry } from "../wire/openai.ts";
import { type Health, PENDING } from "./health.ts";
import { Circuit } from "./routing/circuit.ts";
import { Latency } from "./routing/latency.ts";
import { Load, SLOTS_DEFAULT } from "./routing/load.ts";

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
  kind: EndpointType | null;
  healthIntervalMs: number;
  /** Longest wait for an answer to begin. */
  inferenceTimeoutMs: number;
  notes: string | null;
  capabilities: string[];
  /** As the operator wants it; null: as the endpoint says, else a default. */
  slots: number | null;
  deviceInfo: DeviceInfo | null;
  /** Unix ms. */
  registeredAt: number;
}

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
  deviceInfo: null,
  registeredAt: 0,
};

/** Anything requests can be routed to: its address and what we know of its state. */
export class Endpoint {
  readonly id: string;
  /** Requests that it is working on for us. */
  inFlight = 0;
  health: Health = PENDING;
  lastCheck: LastCheck = { latencyMs: null, lastSeenAt: null, lastError: null };
  readonly load = new Load();
  readonly latency = new Latency();
  readonly circuit = new Circuit();
  /** The last list it gave; undefined as long as it gave none. */
  models: ModelMap | undefined;
  /** Unix seconds of the first list. */
  seenAt = 0;
  /** Slots that it says it has; undefined where it does not say. */
  #slotsTold: number | undefined;
  #facts: EndpointFacts;
  #base = "";
  #headers: Record<string, string> = {};

  constructor(given: EndpointSetting & Partial<EndpointFacts>, id: string = crypto.randomUUID()) {
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

  /** Takes other facts from now on; what runs goes on as it was sent. */
  change(facts: Partial<EndpointFacts>): void {
    this.#facts = { ...this.#facts, ...facts };
    const { url, apiKey, slots } = this.#facts;
    // People paste the base URL of an SDK, which ends in /v1.
    this.#base = url.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    this.load.slots = slots ?? this.#slotsTold ?? SLOTS_DEFAULT;
  }

  /** Takes note of how many slots the endpoint says it has. */
  tellSlots(slots: number | undefined): void {
    this.#slotsTold = slots;
    this.load.slots = this.#facts.slots ?? slots ?? SLOTS_DEFAULT;
  }

  /** Where to send a request for `pathAndQuery`, with the endpoint's own key. */
  target(pathAndQuery: string): ForwardTarget & { headers: Record<string, string> } {
    return {
      url: this.#base + pathAndQuery,
      headers: this.#headers,
      label: `endpoint ${this.#facts.name}`,
    };
  }
}
