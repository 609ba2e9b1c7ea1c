import { EndpointObject, parseEndpoint, readEndpoint } from "./endpoint.ts";
import type { CustomProviderSetting, FallbackSetting } from "./settings.ts";

/** The clouds that need no definition, by the prefix of their models. */
export const BUILT_IN_PROVIDERS = ["openai", "google", "anthropic"] as const;

/** A spelling that older clients use. */
export const MISSPELT_ANTHROPIC = "ahtnorpic";

const PROVIDER_NAME = /^[A-Za-z][\w.-]*$/;
const FALLBACK = /^(.+?)=([\w.-]+:.+)$/;
const CLOUD_MODEL = /^([\w.-]+):(.+)$/;

/** Reads `name=URL` (a key may stand in the URL as `https://KEY@host`) or an object of the file. */
export function readProvider(value: unknown): CustomProviderSetting | string {
  const isNamed = typeof value === "string" ? /^[^:/]+=/.test(value) : hasName(value);
  const provider = readEndpoint(value);
  if (typeof provider === "string") return provider;
  if (!isNamed) return "must have a name, as in name=https://KEY@host";
  if (!PROVIDER_NAME.test(provider.name)) {
    return "the name must begin with a letter; letters, digits, dot, dash, underscore may follow";
  }
  return provider;
}

function hasName(value: unknown): boolean {
  return EndpointObject.safeParse(value).success;
}

/** What is wrong with a list of providers as a whole: names that are taken. */
export function providerConflict(providers: CustomProviderSetting[]): string | undefined {
  const seen = new Set<string>([...BUILT_IN_PROVIDERS, MISSPELT_ANTHROPIC]);
  for (const { name } of providers) {
    if (seen.has(name)) return `the name "${name}" is taken: choose another`;
    seen.add(name);
  }
  return undefined;
}

/** Reads `model=provider:model` (`*` for every model) or `{model, to}` of the file. */
export function readFallback(value: unknown): FallbackSetting | string {
  const [, model, to] =
    typeof value === "string" ? (FALLBACK.exec(value) ?? []) : fromObject(value);
  if (model === undefined || to === undefined || !CLOUD_MODEL.test(to)) {
    return "must be model=provider:model, such as *=openai:gpt-4o";
  }
  return { model, to };
}

function fromObject(value: unknown): (string | undefined)[] {
  if (typeof value !== "object" || value === null) return [];
  const { model, to, ...more } = value as Record<string, unknown>;
  if (typeof model !== "string" || model === "" || typeof to !== "string") return [];
  return Object.keys(more).length > 0 ? [] : [undefined, model, to];
}

/** What is wrong with a list of rules as a whole: two for one model. */
export function fallbackConflict(fallbacks: FallbackSetting[]): string | undefined {
  const models = fallbacks.map(({ model }) => model);
  const twice = models.find((model, at) => models.indexOf(model) !== at);
  return twice === undefined ? undefined : `there are two fallbacks for "${twice}": keep one`;
}

/** What is wrong with rules and providers together: a rule names a provider that there is not. */
export function unknownProvider(
  fallbacks: readonly FallbackSetting[],
  providers: readonly CustomProviderSetting[],
): string | undefined {
  const known: string[] = [...BUILT_IN_PROVIDERS, ...providers.map(({ name }) => name)];
  for (const { model, to } of fallbacks) {
    const name = CLOUD_MODEL.exec(to)?.[1] ?? "";
    if (known.includes(name) || name === MISSPELT_ANTHROPIC) continue;
    return `${model}=${to}: there is no provider "${name}": the providers are ${known.join(", ")}`;
  }
  return undefined;
}

/** The base URL of Google's API with its version, `v1beta` where none is given. */
export function googleBase(value: string): string | undefined {
  const parsed = parseEndpoint(value);
  if (typeof parsed === "string") return undefined;
  return /\/v1(?:alpha|beta)\d*$/.test(parsed.url) ? parsed.url : `${parsed.url}/v1beta`;
}
