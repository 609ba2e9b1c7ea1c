import { MISSPELT_ANTHROPIC } from "../../config/provider.ts";
import type { ProxySettings } from "../../config/proxy.ts";
import type { ProviderSettings, Settings } from "../../config/settings.ts";
import { proxyFor } from "../../http/client/proxy.ts";
import type { Logger } from "../../lib/log.ts";
import { ProviderMetrics } from "./metrics.ts";
import { ProviderModel } from "./model.ts";
import { type ProviderModelEntry, ProviderModelList } from "./modellist.ts";
import { Provider } from "./provider.ts";

export interface ProvidersOptions {
  settings: ProviderSettings & ProxySettings & Pick<Settings, "port">;
  log: Logger;
  /** Unix ms. Default: the clock. */
  now?: () => number;
}

/** The clouds that requests can be sent to: by an explicit prefix, or by the operator's rule. */
export class Providers {
  readonly providers: readonly Provider[];
  readonly metrics: ProviderMetrics;
  readonly log: Logger;
  readonly #byPrefix: ReadonlyMap<string, Provider>;
  readonly #fallbacks: ReadonlyMap<string, string>;
  readonly #list: ProviderModelList;

  constructor({ settings, log, now }: ProvidersOptions) {
    this.log = log;
    const { openai, google, anthropic } = builtIn(settings);
    const custom = settings.providers.map(
      ({ name, url, apiKey }) =>
        new Provider({ name, url, apiKey, api: "openai", proxy: proxyFor(url, settings) }),
    );
    this.providers = [openai, google, anthropic, ...custom];
    this.#byPrefix = new Map([
      ...this.providers.map((provider) => [provider.name, provider] as const),
      [MISSPELT_ANTHROPIC, anthropic],
    ]);
    this.#fallbacks = new Map(settings.fallbacks.map(({ model, to }) => [model, to]));
    this.#list = new ProviderModelList({
      providers: this.providers.filter((one) => one.isUsable && !isHere(one, settings, log)),
      log,
      ...(now === undefined ? {} : { now }),
    });
    this.metrics = new ProviderMetrics(this.providers.map(({ name }) => name));
    for (const { model, to } of settings.fallbacks) {
      if (this.#split(to)?.provider.isUsable) continue;
      log.warn({ model, to }, "cloud.fallback_without_key");
    }
  }

  /**
   * The cloud's model that a name means: `provider:model` with a provider that there is. Undefined
   * for any other name. Throws 401 (`provider_key_missing`) if the provider has no key.
   */
  find(name: string): ProviderModel | undefined {
    const found = this.#split(name);
    found?.provider.requireKey();
    return found;
  }

  /**
   * Where requests for a model go that no endpoint can take: the operator's rule for it, else the
   * one for `*`. Undefined without a rule, for clouds' own models, and where the key is missing.
   */
  fallbackOf(model: string): ProviderModel | undefined {
    const to = this.#fallbacks.get(model) ?? this.#fallbacks.get("*");
    if (to === undefined || this.#split(model) !== undefined) return undefined;
    const found = this.#split(to);
    return found?.provider.isUsable ? found : undefined;
  }

  /**
   * The models of all clouds that have a key, as `/v1/models` lists them. Waits for a list that
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
  const { hostname, port: given } = new URL(url);
  const isLoopback = /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  if (!isLoopback || given !== String(port)) return false;
  log.warn({ provider: name, url }, "cloud.is_this_balancer");
  return true;
}

function builtIn(settings: ProviderSettings & ProxySettings) {
  return {
    openai: new Provider({
      name: "openai",
      api: "openai",
      url: settings.openaiBaseUrl,
      proxy: proxyFor(settings.openaiBaseUrl, settings),
      apiKey: settings.openaiApiKey ?? undefined,
      keyName: "OPENAI_API_KEY",
    }),
    google: new Provider({
      name: "google",
      api: "google",
      url: settings.googleBaseUrl,
      proxy: proxyFor(settings.googleBaseUrl, settings),
      apiKey: settings.googleApiKey ?? undefined,
      keyName: "GOOGLE_API_KEY",
    }),
    anthropic: new Provider({
      name: "anthropic",
      api: "anthropic",
      url: settings.anthropicBaseUrl,
      proxy: proxyFor(settings.anthropicBaseUrl, settings),
      apiKey: settings.anthropicApiKey ?? undefined,
      keyName: "ANTHROPIC_API_KEY",
    }),
  };
}
