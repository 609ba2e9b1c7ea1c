import type { ProviderSettings } from "../../config/fields/providers.ts";
import type { ProxySettings } from "../../config/fields/proxies.ts";
import type { Settings } from "../../config/settings.ts";
import { MISSPELT_ANTHROPIC } from "../../config/values/provider.ts";
import { proxyFor } from "../../http/client/proxy.ts";
import type { Hops } from "../../http/proxy/hops.ts";
import { hostOf, isLoopbackHost, portOf } from "../../lib/host.ts";
import type { Logger } from "../../lib/log.ts";
import { ANTHROPIC } from "./anthropic.ts";
import { GOOGLE } from "./google.ts";
import { ProviderMetrics } from "./metrics.ts";
import { ProviderModel } from "./model.ts";
import { type ProviderModelEntry, ProviderModelList } from "./modellist.ts";
import { compatibleApi, OPENAI } from "./openai.ts";
import { Provider } from "./provider.ts";
import { ProviderSlot, type ProviderSlotOptions } from "./slot.ts";

export interface ProvidersOptions {
  settings: ProviderSettings & ProxySettings & Pick<Settings, "port">;
  log: Logger;
  /** By which a provider that is this balancer is noticed. */
  hops: Hops;
  /** Unix ms. Default: the clock. */
  now?: () => number;
}

/** The providers that requests can be sent to, by a prefix or by an operator's fallback rule. */
export class Providers {
  readonly providers: readonly Provider[];
  readonly metrics: ProviderMetrics;
  readonly #log: Logger;
  readonly #byPrefix: ReadonlyMap<string, Provider>;
  readonly #fallbacks: ReadonlyMap<string, string>;
  readonly #list: ProviderModelList;

  constructor({ settings, log, hops, now }: ProvidersOptions) {
    this.#log = log;
    const custom = settings.providers.map(({ name, url, apiKey }) => {
      const api = compatibleApi(settings.providerThoughts.includes(name));
      return new Provider({ name, url, apiKey, api, proxy: proxyFor(url, settings) });
    });
    this.providers = [...builtIn(settings), ...custom];
    const byPrefix = new Map(this.providers.map((provider) => [provider.name, provider]));
    const anthropic = byPrefix.get(ANTHROPIC.name);
    if (anthropic !== undefined) byPrefix.set(MISSPELT_ANTHROPIC, anthropic);
    this.#byPrefix = byPrefix;
    this.#fallbacks = new Map(settings.fallbacks.map(({ model, to }) => [model, to]));
    this.#list = new ProviderModelList({
      providers: this.providers.filter((one) => one.isUsable && !isHere(one, settings, log)),
      ...{ log, hops },
      ...(now === undefined ? {} : { now }),
    });
    this.metrics = new ProviderMetrics(this.providers.map(({ name }) => name));
    for (const { model, to } of settings.fallbacks) {
      if (this.#split(to)?.provider.isUsable) continue;
      log.warn({ model, to }, "cloud.fallback_without_key");
    }
  }

  /**
   * The provider's model with a name like `provider:model`; undefined for any other name. Throws
   * 401 (`provider_key_missing`) if the provider has no key.
   */
  find(name: string): ProviderModel | undefined {
    const found = this.#split(name);
    found?.provider.requireKey();
    return found;
  }

  /**
   * Where requests for a model go that no endpoint can take: the operator's rule for it, else the
   * one for `*`. Undefined without a rule, for providers' own models, and where the key is missing.
   */
  fallbackOf(model: string): ProviderModel | undefined {
    const to = this.#fallbacks.get(model) ?? this.#fallbacks.get("*");
    if (to === undefined || this.#split(model) !== undefined) return undefined;
    const found = this.#split(to);
    return found?.provider.isUsable ? found : undefined;
  }

  /** Leave to send a provider one request. */
  slot(options: Omit<ProviderSlotOptions, "metrics" | "log">): ProviderSlot {
    return new ProviderSlot({ ...options, metrics: this.metrics, log: this.#log });
  }

  /**
   * The models of all providers that have a key, as `/v1/models` lists them. Waits for a list that
   * was never there, at most 10 s; what is old is given as it is and fetched anew meanwhile.
   */
  models(): Promise<ProviderModelEntry[]> {
    return this.#list.all();
  }

  /** Stops fetching lists. */
  close(): void {
    this.#list.close();
  }

  #split(name: string): ProviderModel | undefined {
    const colon = name.indexOf(":");
    if (colon <= 0 || colon === name.length - 1) return undefined;
    const provider = this.#byPrefix.get(name.slice(0, colon));
    return provider === undefined ? undefined : new ProviderModel(provider, name.slice(colon + 1));
  }
}

/**
 * Whether a provider is this balancer: whoever uses it as if it were OpenAI has its address in
 * `OPENAI_BASE_URL`, perhaps also where it is started. It would wait for its own list.
 */
function isHere({ name, url }: Provider, { port }: Pick<Settings, "port">, log: Logger): boolean {
  const address = new URL(url);
  const host = hostOf(address);
  // A server that listens on all addresses also answers on `0.0.0.0` and `[::]`.
  const isThisMachine = isLoopbackHost(host) || host === "0.0.0.0" || host === "::";
  if (!isThisMachine || portOf(address) !== String(port)) return false;
  log.warn({ provider: name, url }, "cloud.is_this_balancer");
  return true;
}

/** The providers that need no definition, whether they have a key or not. */
function builtIn(settings: ProviderSettings & ProxySettings): Provider[] {
  const { openaiBaseUrl, openaiApiKey, googleBaseUrl, googleApiKey } = settings;
  const { anthropicBaseUrl, anthropicApiKey } = settings;
  const rows = [
    { ...OPENAI, url: openaiBaseUrl, apiKey: openaiApiKey },
    { ...GOOGLE, url: googleBaseUrl, apiKey: googleApiKey },
    { ...ANTHROPIC, url: anthropicBaseUrl, apiKey: anthropicApiKey },
  ];
  return rows.map(({ apiKey, ...row }) => {
    const proxy = proxyFor(row.url, settings);
    return new Provider({ ...row, apiKey: apiKey ?? undefined, proxy });
  });
}
