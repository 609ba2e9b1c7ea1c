import type { LogLevel } from "../lib/log.ts";
import type { HubSettings } from "./hubfields.ts";
import type { ProxySettings } from "./proxy.ts";

export type Mode = "standalone" | "balancer" | "node";

/** How the endpoint for a request is chosen among those that have its model and a free slot. */
export type Strategy = "prefix" | "latency" | "least-busy" | "round-robin";

/**
 * What the history keeps of requests' and answers' bodies: nothing, their form without what was
 * said, or what was said. Attachments (data URLs, long base64) are left out in any case.
 */
export type HistoryBodies = "none" | "redacted" | "full";

/** An endpoint named in the configuration. */
export interface EndpointSetting {
  /** Shown in errors, logs and `/health`; the URL's host when not given. */
  name: string;
  /** Base URL without `/v1`, e.g. `http://gpu1:8080`. */
  url: string;
  /** Sent to the endpoint as `Authorization: Bearer`. */
  apiKey?: string;
}

/** A cloud that speaks OpenAI's API, named in the configuration: `name:model` reaches it. */
export type CustomProviderSetting = EndpointSetting;

/** An operator's rule: what no endpoint can take of a model goes to a cloud. */
export interface FallbackSetting {
  /** As clients write it; `*` for every model without a rule of its own. */
  model: string;
  /** A cloud's model with its prefix, e.g. `openai:gpt-4o`. */
  to: string;
}

/** Names that mean the same model. */
export interface AliasSetting {
  name: string;
  /** What endpoints call it; the first is what it is listed by. */
  models: string[];
}

/** What models are called. */
export interface NameSettings {
  aliases: AliasSetting[];
  /** Of requests for embeddings that name no model. */
  embeddingModel: string;
}

/** What clouds there are and how they are reached. Keys are null where there is none. */
export interface ProviderSettings {
  openaiApiKey: string | null;
  /** Base URLs; Google's ends in the version, the others have no `/v1`. */
  openaiBaseUrl: string;
  googleApiKey: string | null;
  googleBaseUrl: string;
  anthropicApiKey: string | null;
  anthropicBaseUrl: string;
  providers: CustomProviderSetting[];
  fallbacks: FallbackSetting[];
}

/** A model file named on the command line or in the configuration. */
export interface ModelSetting {
  /** The name that clients use; the file's name without `.gguf` when not given. */
  id: string;
  /** Absolute path of the GGUF file. */
  path: string;
  /** Absolute path of the multimodal projector, if there is one. */
  mmproj?: string;
}

/** All effective settings of one process, parsed once at start and passed down. */
export interface Settings extends NameSettings, ProviderSettings, ProxySettings, HubSettings {
  mode: Mode;
  /** Address to listen on. */
  host: string;
  /**
   * Further names that clients may call this server by, in lower case: `llm.example`, `.example`
   * with all below it, `*.example` for these alone, `*` for any.
   */
  allowedHosts: string[];
  /** Port to listen on; 0 takes any free one. */
  port: number;
  /** Port of the local node in standalone mode; a free one is taken if it is busy. */
  nodePort: number;
  /** Data folder, absolute. */
  home: string;
  logLevel: LogLevel;
  /** Balancer that a node joins; null: none. */
  join: string | null;
  /** Enrolment token for it. */
  token: string | null;
  /** Name of the node there; null: that of this machine. */
  name: string | null;
  /** Where the balancer reaches the node; null: where it sees it. */
  advertise: string | null;
  /** Allows listening on other addresses than loopback without access control. */
  insecure: boolean;
  endpoints: EndpointSetting[];
  models: ModelSetting[];
  /** Further llama-server arguments for every engine, e.g. `["--ctx-size", "8192"]`. */
  engineArgs: string[];
  /** Largest request body accepted. */
  bodyLimitBytes: number;
  /** Images in requests may be fetched from private and loopback addresses. */
  privateMedia: boolean;
  strategy: Strategy;
  /** Requests that an endpoint works on at the same time, unless it says how many. */
  defaultSlots: number;
  /** Requests that may wait for a slot, per model. */
  queueMax: number;
  /** Longest wait for a slot; 0: none waits. */
  queueTimeoutMs: number;
  /** From a request's coming to the beginning of its answer, waiting and all tries included. */
  firstByteTimeoutMs: number;
  /** Longest wait for one endpoint's answer to begin while another one could be tried. */
  tryTimeoutMs: number;
  /** Longest silence between two pieces of a streamed answer. */
  idleTimeoutMs: number;
  /** How long running requests may go on after a stop signal. */
  drainTimeoutMs: number;
  /** Time between two health checks of an endpoint. */
  healthIntervalMs: number;
  /** Longest wait for one health check. */
  healthTimeoutMs: number;
  /** Longest wait for a model to load. */
  loadTimeoutMs: number;
  historyBodies: HistoryBodies;
  /** How long requests stay in the history; statistics stay forever. */
  historyRetentionMs: number;
}
