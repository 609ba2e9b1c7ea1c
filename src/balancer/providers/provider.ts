import { createHash } from "node:crypto";
import { type ApiBase, apiBase } from "../../config/values/apibase.ts";
import type { ForwardTarget } from "../../http/proxy/forward.ts";
import { ApiError } from "../../wire/error.ts";
import type { RouteName } from "../../wire/route.ts";
import type { ProviderApi } from "./api.ts";

export interface ProviderOptions {
  /** What stands before the colon, e.g. `openai`. */
  name: string;
  api: ProviderApi;
  /** Base URL: Google's ends in its version, others have no `/v1`. */
  url: string;
  apiKey: string | undefined;
  /** What history and statistics know it by; default: made of its name. */
  id?: string;
  /** The setting that holds the key, for whoever forgot it; undefined: it needs none. */
  keyName?: string | undefined;
  /** Through which it is asked; default none. */
  proxy?: ForwardTarget["proxy"];
}

/** OpenTelemetry's names (`gen_ai.provider.name`) of providers that are often called otherwise. */
const CONVENTIONAL_NAMES: ReadonlyMap<string, string> = new Map([
  ["azure", "azure.ai.openai"],
  ["bedrock", "aws.bedrock"],
  ["gemini", "gcp.gemini"],
  ["google", "gcp.gemini"],
  ["mistral", "mistral_ai"],
  ["moonshot", "moonshot_ai"],
  ["vertex", "gcp.vertex_ai"],
  ["xai", "x_ai"],
]);

/** A provider: where it is, whether it can be used, and what history calls it. */
export class Provider {
  readonly name: string;
  readonly api: ProviderApi;
  readonly url: string;
  /** Of the upstream that it is in history and statistics: always the same. */
  readonly id: string;
  /** Routes that its API may have, but that it turned out to lack. */
  readonly lacks = new Set<RouteName>();
  readonly #base: ApiBase;
  readonly #apiKey: string | undefined;
  readonly #keyName: string | undefined;
  readonly #proxy: ForwardTarget["proxy"];

  constructor({ name, api, url, apiKey, id = idOf(name), keyName, proxy }: ProviderOptions) {
    this.name = name;
    this.api = api;
    this.url = url;
    // Google's paths are what follows the version.
    const isBelowVersion = !api.listPath.startsWith("/v1/");
    this.#base = isBelowVersion ? { urlOf: (path) => url + path } : apiBase(url);
    this.id = id;
    this.#apiKey = apiKey;
    this.#keyName = keyName;
    this.#proxy = proxy;
  }

  /** What the history and the metrics call it. */
  get shownName(): string {
    return `cloud:${this.name}`;
  }

  /** What OpenTelemetry's conventions call it, if they do. */
  get telemetryName(): string {
    return CONVENTIONAL_NAMES.get(this.name) ?? this.name;
  }

  /** It has the key that it needs. */
  get isUsable(): boolean {
    return this.#apiKey !== undefined || this.#keyName === undefined;
  }

  /** What to look at if the key is wrong. */
  get keyHolder(): string {
    return this.#keyName ?? `the key in --provider ${this.name}=…`;
  }

  /** A text that somebody else wrote, without the key in it. */
  withoutKey(text: string): string {
    return this.#apiKey === undefined ? text : text.replaceAll(this.#apiKey, "[redacted]");
  }

  /** Throws 401 (`provider_key_missing`) if it has no key. */
  requireKey(): void {
    if (this.isUsable) return;
    const { name } = this;
    const message = `${this.#keyName} is required for ${name}: models: set it on the balancer.`;
    throw new ApiError("unauthorized", message, { code: "provider_key_missing", param: "model" });
  }

  /**
   * Where to send a request, with the provider's own key. `path` is as clients and translations
   * write it: `/v1/…`, for Google what follows the version.
   */
  target(path: string): ForwardTarget & { headers: Record<string, string> } {
    const proxy = this.#proxy === undefined ? {} : { proxy: this.#proxy };
    const label = `cloud ${this.name}`;
    return {
      url: this.#base.urlOf(path),
      headers: this.api.headers(this.#apiKey),
      label,
      ...proxy,
    };
  }
}

/** The same name has the same id after every start. */
function idOf(name: string): string {
  const hex = createHash("sha256").update(`cloud:${name}`).digest("hex");
  return `00000000-0000-0000-${hex.slice(0, 4)}-${hex.slice(4, 16)}`;
}
