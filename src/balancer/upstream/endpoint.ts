import { apiBase } from "../../config/values/apibase.ts";
import { authorizationOf } from "../../config/values/endpoint.ts";
import type { DeviceInfo } from "../../db/state/endpoint.ts";
import type { ForwardProxy } from "../../http/client/proxy.ts";
import type { ForwardTarget } from "../../http/proxy/forward.ts";
import { devicesToLend } from "../../model/lentdevices.ts";
import type { EndpointKind } from "../../wire/endpoint.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import type { InferenceRoute, RouteName } from "../../wire/route.ts";
import { type Health, PENDING } from "../health/healthstate.ts";
import type { SystemReport } from "../health/systemreport.ts";
import { Circuits } from "../routing/circuits.ts";
import { Latency } from "../routing/latency.ts";
import { Load, SLOTS_DEFAULT } from "../routing/load.ts";
import { Warmth } from "../routing/warmth.ts";
import {
  answersBesideOfKind,
  ignoresStampsOfKind,
  routesOfKind,
  usageSupportOfKind,
} from "./kind.ts";
import { type NodeReport, nodeReportOf } from "./nodereport.ts";
import { SilentRequests } from "./silentrequests.ts";
import { translatorOf } from "./translator.ts";
import type { RouteSupport, Upstream, UsageSupport } from "./upstream.ts";

/** The models an endpoint lists, by id. */
export type ModelMap = ReadonlyMap<string, ModelEntry>;

/** Where an endpoint comes from: an operator, the configuration, an enrolled node, this process. */
export type EndpointSource = "api" | "config" | "node" | "local";

/** An endpoint's settings and what was found out about it, other than its current state. */
export interface EndpointFacts {
  /** Unique; shown in errors, logs and `/ready`. */
  name: string;
  /** Base URL; see `apiBase`. */
  url: string;
  /** What it is asked with; see `authorizationOf`. */
  apiKey: string | undefined;
  source: EndpointSource;
  /** The kind of server; null until it is detected. */
  kind: EndpointKind | null;
  healthIntervalMs: number;
  /** Longest wait for an answer to begin. */
  inferenceTimeoutMs: number;
  notes: string | null;
  capabilities: string[];
  /** The operator's number of slots; null: the endpoint's own, else `slotsDefault`. */
  slots: number | null;
  slotsDefault: number;
  /** It gets no further requests until an operator says so. */
  draining: boolean;
  /** Its models where it lists none; null: nobody said. */
  givenModels: string[] | null;
  /** The HTTP proxy in between. */
  proxy: ForwardProxy | undefined;
  /** As in `Route`. */
  guarded: boolean;
  /** Of its only certificate; null: any valid one. */
  fingerprint: string | null;
  deviceInfo: DeviceInfo | null;
  /** Unix ms. */
  registeredAt: number;
}

/** What a new endpoint needs: name and address; the rest has defaults. */
export type EndpointOptions = Pick<EndpointFacts, "name" | "url"> & Partial<EndpointFacts>;

/** What a node lends to engines of others. */
export interface EndpointLending {
  /** Engines that use it now, and at most. */
  loans: number;
  loansMax: number;
  /** Free memory of the devices that it lends. */
  freeBytes: number;
}

/** The result of the last health check. */
export interface LastCheck {
  /** Its duration; null when it failed. */
  latencyMs: number | null;
  /** When the last one succeeded, unix ms. */
  lastSeenAt: number | null;
  /** Why the last one failed; null when it did not. */
  lastError: string | null;
}

export const ENDPOINT_DEFAULTS: Omit<EndpointFacts, "name" | "url"> = {
  apiKey: undefined,
  source: "api",
  kind: null,
  healthIntervalMs: 30_000,
  inferenceTimeoutMs: 600_000,
  notes: null,
  capabilities: ["chat_completion"],
  slots: null,
  slotsDefault: SLOTS_DEFAULT,
  draining: false,
  givenModels: null,
  proxy: undefined,
  guarded: true,
  fingerprint: null,
  deviceInfo: null,
  registeredAt: 0,
};

/** A server that requests are balanced over: its address and what is known of its state. */
export class Endpoint implements Upstream {
  readonly fetchesImages = false;
  readonly wantsSignatures = false;
  readonly id: string;
  health: Health = PENDING;
  /** A check that fails before then leaves it `pending` (`performance.now()`). */
  graceUntil = 0;
  lastCheck: LastCheck = { latencyMs: null, lastSeenAt: null, lastError: null };
  /** Why the last request failed that it is to blame for; null after one that it answered. */
  requestError: string | null = null;
  readonly load = new Load();
  readonly latency = new Latency();
  readonly circuits = new Circuits();
  readonly silent = new SilentRequests();
  /** Streams that went on elsewhere because it was drained, since it is. */
  movedStreams = 0;
  /** Its last list of models; undefined before the first. */
  models: ModelMap | undefined;
  /** How many its list has, also of those that are not used. */
  listed = 0;
  /** Its own names of models by the models' ids. Set by the pool. */
  served: ReadonlyMap<string, string> = new Map();
  /** Unix seconds of the first list. */
  seenAt = 0;
  /** Which of its models are loaded. */
  readonly warmth = new Warmth((id) => this.served.get(id) ?? id);
  /** What it lends to engines of other nodes; undefined: nothing. */
  lending: EndpointLending | undefined;
  /** What it runs with; undefined: it is no llmlb, or was never reached. */
  report: NodeReport | undefined;
  /** The number of slots that it tells; undefined if it tells none. */
  #reportedSlots: number | undefined;
  #facts: EndpointFacts;
  #base = apiBase("");
  #headers: Record<string, string> = {};
  /** The optional routes that it was found to have; undefined before the detection. */
  routes: ReadonlySet<RouteName> | undefined;
  /** Its kind and routes are being detected. */
  isDetecting = false;

  constructor(given: EndpointOptions, id: string = crypto.randomUUID()) {
    this.id = id;
    this.#facts = { ...ENDPOINT_DEFAULTS, ...given };
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

  get isDraining(): boolean {
    return this.#facts.draining;
  }

  get telemetryName(): string {
    return this.#facts.kind ?? "openai_compatible";
  }

  get usageSupport(): UsageSupport {
    return usageSupportOfKind(this.#facts.kind);
  }

  get loadsByChat(): boolean {
    return this.#facts.kind === "llmlb";
  }

  get ignoresStamps(): boolean {
    return ignoresStampsOfKind(this.#facts.kind);
  }

  /** Its silence towards checks means that it hangs, not that it is busy with a request. */
  get answersBeside(): boolean {
    return this.silent.answersBeside || answersBesideOfKind(this.#facts.kind);
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

  /** Changes settings; running requests go on. */
  change(facts: Partial<EndpointFacts>): void {
    // Both were those of another machine.
    if (facts.url !== undefined && facts.url !== this.#facts.url) {
      this.#reportedSlots = undefined;
      this.silent.answersBeside = false;
      this.warmth.reset();
      this.warmth.memories = [];
      this.lending = undefined;
      this.report = undefined;
    }
    this.#facts = { ...this.#facts, ...facts };
    const { url, apiKey } = this.#facts;
    this.#base = apiBase(url);
    this.#headers = apiKey === undefined ? {} : { authorization: authorizationOf(apiKey) };
    this.#applySlots();
  }

  /** Applies what the endpoint reports about itself. */
  applySystem(report: SystemReport): void {
    const { slots, device, devices = [], lending } = report;
    this.report = nodeReportOf(report);
    this.lending = lending && {
      loans: lending.loans.length,
      loansMax: lending.loans_max,
      freeBytes: devicesToLend(devices).reduce((sum, one) => sum + one.free_memory_bytes, 0),
    };
    if (device !== undefined) this.#facts = { ...this.#facts, deviceInfo: device };
    if (slots === undefined) return;
    if (slots.total >= 1) this.#reportedSlots = Math.floor(slots.total);
    this.#applySlots();
  }

  #applySlots(): void {
    const { slots, slotsDefault } = this.#facts;
    this.load.slots = slots ?? this.#reportedSlots ?? slotsDefault;
  }

  /** Where to send a request for `pathAndQuery`, with the endpoint's own key. */
  target(pathAndQuery: string): ForwardTarget & { headers: Record<string, string> } {
    return {
      url: this.#base.urlOf(pathAndQuery),
      headers: this.#headers,
      proxy: this.#facts.proxy,
      fingerprint: this.#facts.fingerprint ?? undefined,
      guarded: this.#facts.guarded,
      label: `endpoint ${this.#facts.name}`,
    };
  }
}

/** An endpoint's list entry of the model with this id; empty if it does not list it. */
export function modelEntryOf(
  { models, served }: Pick<Endpoint, "models" | "served">,
  id: string,
): Partial<ModelEntry> {
  return models?.get(served.get(id) ?? id) ?? {};
}
