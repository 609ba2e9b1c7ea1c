import { Counter, Gauge, Registry } from "prom-client";
import { addProcessMetrics } from "../../http/server/processmetrics.ts";
import { ApiError } from "../../wire/error.ts";
import type { NodeSystem } from "../../wire/system.ts";
import type { AnswerObserver } from "../proxy.ts";
import type { EngineEventName } from "../supervisor/engineoptions.ts";
import type { Memory } from "../supervisor/room/memory.ts";
import { UsageReader } from "./answerusage.ts";
import { addPromptMetrics, type PromptReading } from "./promptmetrics.ts";

/** Where the state of the moment is read, once for each text. */
export interface NodeMetricSources {
  system(): Promise<NodeSystem>;
  /** What engines may have of each memory, and what they have. */
  memory(): Promise<{ budget: Memory; used: Memory }>;
  /** Engines that were ended for others so far. */
  evictions(): number;
  /** The prompts of ended engines. */
  prompts(): PromptReading;
}

interface Reading {
  system: NodeSystem;
  memory: { budget: Memory; used: Memory };
}

/** Sees an answer, or hears that there is none. */
export interface RequestObserver extends AnswerObserver {
  fail(error: unknown): void;
}

/** Models with a label of their own; models come and go while a node runs. */
const MODELS_MAX = 500;
const STATES = ["unloaded", "loading", "ready", "failed"] as const;
const EVENTS: Record<EngineEventName, string> = {
  loaded: "loaded",
  load_failed: "load_failed",
  stopped: "unloaded",
  crashed: "crashed",
};

/** Counts by a model and one more label. */
type Counts = Map<string, Map<string, number>>;

/** The metrics of a node's own `GET /metrics`. Its engines are not asked for any. */
export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counts = new Map();
  readonly #tokens: Counts = new Map();
  readonly #events: Counts = new Map();
  readonly #sources: NodeMetricSources;

  constructor(sources: NodeMetricSources) {
    this.#sources = sources;
    const counted = (name: string, help: string, label: string, counts: Counts) =>
      addCounts(this.#registry, { name, help, label }, counts);
    counted(
      "llmlb_node_requests_total",
      "Requests to engines that ended",
      "status",
      this.#requests,
    );
    counted("llmlb_node_tokens_total", "Tokens, as engines count them", "type", this.#tokens);
    counted("llmlb_engine_events_total", "What became of engines", "event", this.#events);
    addProcessMetrics(this.#registry);
  }

  /** The `content-type` of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  async text(): Promise<string> {
    const [system, memory] = await Promise.all([this.#sources.system(), this.#sources.memory()]);
    const state = new Registry();
    addState(state, { system, memory }, this.#sources.evictions());
    addPromptMetrics(state, this.#sources.prompts());
    return Registry.merge([this.#registry, state]).metrics();
  }

  /** Counts what became of a model's engine. */
  countEvent(modelId: string, event: EngineEventName): void {
    add(this.#events, modelId, EVENTS[event]);
  }

  /** Counts a request for a model, once its answer has ended or failed. */
  requestOf(modelId: string): RequestObserver {
    const reader = new UsageReader();
    return {
      push: (bytes) => reader.push(bytes),
      end: (status, outcome, reason) => {
        const isWhole = outcome === "complete";
        const broke = outcome === "cancelled" ? "cancelled" : isLate(reason) ? "timeout" : "broken";
        add(this.#requests, modelId, isWhole ? classOf(status) : broke);
        for (const [type, tokens] of Object.entries(reader.usage() ?? {})) {
          if (tokens > 0) add(this.#tokens, modelId, type, tokens);
        }
      },
      fail: (error) => {
        const hasLeft = error instanceof ApiError && error.kind === "client_closed";
        const status = error instanceof ApiError ? error.status : 500;
        const how = hasLeft ? "cancelled" : isLate(error) ? "timeout" : classOf(status);
        add(this.#requests, modelId, how);
      },
    };
  }
}

/** Whether an engine gave no token for too long. */
function isLate(reason: unknown): boolean {
  return reason instanceof ApiError && reason.kind === "timeout";
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}

function add(counts: Counts, modelId: string, label: string, more = 1): void {
  const model = counts.has(modelId) || counts.size < MODELS_MAX ? modelId : "other";
  let own = counts.get(model);
  if (own === undefined) {
    own = new Map();
    counts.set(model, own);
  }
  own.set(label, (own.get(label) ?? 0) + more);
}

function addCounts(
  registry: Registry,
  { name, help, label }: { name: string; help: string; label: string },
  counts: Counts,
): void {
  new Counter({
    ...{ name, help, labelNames: ["model", label], registers: [registry] },
    collect() {
      this.reset();
      for (const [model, own] of counts) {
        for (const [value, count] of own) this.inc({ model, [label]: value }, count);
      }
    },
  });
}

/** Adds the state of the moment. */
function addState(registry: Registry, { system, memory }: Reading, evictions: number): void {
  const registers = [registry];
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name, help, labelNames, registers });
  const models = system.models.slice(0, MODELS_MAX);
  const states = gauge("llmlb_engine_state", "1 for the state a model is in", "model", "state");
  const busy = gauge("llmlb_engine_busy", "Requests that a model works on", "model");
  const slots = gauge("llmlb_engine_slots", "Requests a model can work on at once", "model");
  const reserved = gauge(
    "llmlb_engine_reserved_bytes",
    "Memory counted for a model",
    "model",
    "memory",
  );
  const resident = gauge("llmlb_engine_resident_bytes", "Host memory of its processes", "model");
  for (const { id: model, ...one } of models) {
    for (const state of STATES) states.set({ model, state }, state === one.state ? 1 : 0);
    slots.set({ model }, one.slots);
    if (one.state !== "ready") continue;
    busy.set({ model }, one.busy ?? 0);
    for (const [memory, bytes] of Object.entries(one.reserved ?? {})) {
      reserved.set({ model, memory }, bytes);
    }
    if (one.memory_bytes !== undefined) resident.set({ model }, one.memory_bytes);
  }
  const all = gauge("llmlb_memory_reserved_bytes", "Memory counted for all engines", "memory");
  for (const [name, bytes] of Object.entries(memory.used)) all.set({ memory: name }, bytes);
  const budget = gauge("llmlb_memory_budget_bytes", "Memory for all engines together", "memory");
  for (const [name, bytes] of Object.entries(memory.budget)) budget.set({ memory: name }, bytes);
  const total = gauge("llmlb_device_memory_bytes", "Memory of a device", "device", "type");
  const free = gauge("llmlb_device_free_bytes", "Its memory that is free", "device", "type");
  for (const { name: device, type, ...sizes } of system.devices) {
    total.set({ device, type }, sizes.total_memory_bytes);
    free.set({ device, type }, sizes.free_memory_bytes);
  }
  if (system.lending !== undefined) {
    const lent = "Engines of other nodes that use this one's devices";
    gauge("llmlb_lending_loans", lent).set(system.lending.loans.length);
  }
  const help = "Engines that were ended to make room for others";
  new Counter({ name: "llmlb_engine_evictions_total", help, registers }).inc(evictions);
}
