import type { Hops } from "../../http/proxy/hops.ts";
import type { Logger } from "../../lib/log.ts";
import { type CapabilitiesObject, capabilitiesObject } from "../../wire/capability.ts";
import { LISTED_MODELS_MAX } from "../upstream/listedmodels.ts";
import type { ModelListing } from "./api.ts";
import { fetchModels } from "./listing.ts";
import type { Provider } from "./provider.ts";

/** A provider's model as `/v1/models` lists it. */
export interface ProviderModelEntry {
  /** With the provider's prefix. */
  id: string;
  object: "model";
  /** Unix seconds; 0 where the provider does not say. */
  created: number;
  owned_by: string;
  ready: true;
  capabilities: CapabilitiesObject;
  lifecycle_status: "registered";
  supported_apis: string[];
  max_tokens?: number;
}

export interface ProviderModelListOptions {
  /** Those that can be used. */
  providers: readonly Provider[];
  log: Logger;
  /** Unix ms. Default: the clock. */
  now?: () => number;
  /** Longest wait for one provider's whole list. Default: 10 s. */
  timeoutMs?: number;
  /** By which a provider that is this balancer is noticed. */
  hops: Hops;
}

const FRESH_MS = 86_400_000;
const TIMEOUT_MS = 10_000;
/** A provider that failed is not asked again before. */
const RETRY_MS = 60_000;

/** What is known of one provider's models. */
interface Copy {
  entries: ProviderModelEntry[] | undefined;
  /** Not asked again before (unix ms). */
  nextAt: number;
  fetching: Promise<void> | undefined;
}

/** The providers' models: fetched on demand, kept for a day, and longer while a provider fails. */
export class ProviderModelList {
  readonly #options: Required<ProviderModelListOptions>;
  readonly #copies: ReadonlyMap<Provider, Copy>;
  readonly #closing = new AbortController();

  constructor(options: ProviderModelListOptions) {
    this.#options = { now: Date.now, timeoutMs: TIMEOUT_MS, ...options };
    this.#copies = new Map(
      options.providers.map((provider) => [
        provider,
        { entries: undefined, nextAt: 0, fetching: undefined },
      ]),
    );
  }

  /** All of them, by provider. Waits only for lists that were never there. */
  async all(): Promise<ProviderModelEntry[]> {
    const waits = [...this.#copies].map(([provider, copy]) => {
      if (!this.#closing.signal.aborted && this.#options.now() >= copy.nextAt) {
        copy.fetching ??= this.#fetch(provider, copy);
      }
      return copy.entries === undefined ? copy.fetching : undefined;
    });
    await Promise.all(waits);
    return [...this.#copies.values()].flatMap(({ entries }) => entries ?? []);
  }

  close(): void {
    this.#closing.abort();
  }

  /** Never rejects. */
  async #fetch(provider: Provider, copy: Copy): Promise<void> {
    const { log, now, timeoutMs, hops } = this.#options;
    const signal = this.#closing.signal;
    const listed = await fetchModels(provider, { timeoutMs, signal, hops: hops.after() });
    copy.fetching = undefined;
    if (typeof listed !== "string") {
      if (listed.length === LISTED_MODELS_MAX) {
        log.warn({ provider: provider.name, used: listed.length }, "cloud.models_limited");
      }
      copy.entries = listed.map((model) => entryOf(provider, model));
      copy.nextAt = now() + FRESH_MS;
      return;
    }
    copy.nextAt = now() + RETRY_MS;
    if (signal.aborted) return;
    const { name } = provider;
    const hasStale = copy.entries !== undefined;
    log.warn({ provider: name, reason: listed, stale: hasStale }, "cloud.models_failed");
  }
}

/** What a model can do, as far as its list tells. */
function capabilitiesOf(apis: readonly string[], { seesImages }: Provider["api"]): string[] {
  const chats = apis.includes("chat_completions");
  return [
    ...(chats ? ["chat"] : []),
    ...(chats && seesImages ? ["vision"] : []),
    ...(apis.includes("embeddings") ? ["embeddings"] : []),
  ];
}

function entryOf(
  { name, api }: Provider,
  { id, created, apis, maxTokens }: ModelListing,
): ProviderModelEntry {
  return {
    id: `${name}:${id}`,
    object: "model",
    created,
    owned_by: name,
    ready: true,
    capabilities: capabilitiesObject(capabilitiesOf(apis, api)),
    lifecycle_status: "registered",
    supported_apis: apis,
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}
