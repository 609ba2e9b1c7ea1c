import type { ZodType } from "zod";
import {
  ENDPOINT_SHAPE,
  EndpointObject,
  type EndpointSetting,
  parseEndpoint,
  readEndpoint,
} from "./endpoint.ts";
import { listOf, TEXTS_SHAPE, valueSchema } from "./schema.ts";

/** A provider that speaks OpenAI's API, named in the configuration: `name:model` reaches it. */
export type CustomProviderSetting = EndpointSetting;

/** The providers that need no definition, by the prefix of their models. */
export const BUILT_IN_PROVIDERS = ["openai", "google", "anthropic"] as const;

/** A spelling that older clients use. */
export const MISSPELT_ANTHROPIC = "ahtnorpic";

const PROVIDER_NAME = /^[A-Za-z][\w.-]*$/;

/** A list of providers: `name=url` or `{name, url, api_key}` each. */
export function providerList(): ZodType<CustomProviderSetting[]> {
  return listOf(readProvider, providerConflict, ENDPOINT_SHAPE);
}

/** Names of providers: a list, or text with commas between them. */
export function providerNames(): ZodType<string[]> {
  return valueSchema("must be names of clouds, such as deepseek", (value) => {
    const texts = (Array.isArray(value) ? value : [value]).map(String);
    const names = texts.flatMap((text) => text.split(",")).map((name) => name.trim());
    const given = names.filter((name) => name !== "");
    return given.every((name) => PROVIDER_NAME.test(name)) ? given : undefined;
  }).meta({ shape: TEXTS_SHAPE });
}

/** The base URL of Google's API, with its version at the end: `v1beta` where none is given. */
export function googleBaseUrl(): ZodType<string> {
  return valueSchema(
    "must be a URL such as https://generativelanguage.googleapis.com/v1beta",
    (value) => (typeof value === "string" ? googleBase(value) : undefined),
  );
}

/**
 * Reads `name=URL`, which may hold a key as `https://KEY@host`, or an object of config.json.
 * Returns a message instead if it is wrong.
 */
function readProvider(value: unknown): CustomProviderSetting | string {
  const isNamed = typeof value === "string" ? /^[^:/]+=/.test(value) : hasName(value);
  const provider = readEndpoint(value);
  if (typeof provider === "string") return provider;
  if (provider.models !== undefined) return "models: only endpoints have these";
  if (!isNamed) return "must have a name, as in name=https://KEY@host";
  if (!PROVIDER_NAME.test(provider.name)) {
    return "the name must begin with a letter; letters, digits, dot, dash, underscore may follow";
  }
  return provider;
}

function hasName(value: unknown): boolean {
  return EndpointObject.safeParse(value).success;
}

/** A message if a name of the list is reserved or stands twice. */
function providerConflict(providers: CustomProviderSetting[]): string | undefined {
  const seen = new Set<string>([...BUILT_IN_PROVIDERS, MISSPELT_ANTHROPIC]);
  for (const { name } of providers) {
    if (seen.has(name)) return `the name "${name}" is taken: choose another`;
    seen.add(name);
  }
  return undefined;
}

function googleBase(value: string): string | undefined {
  const parsed = parseEndpoint(value);
  if (typeof parsed === "string") return undefined;
  return /\/v1(?:alpha|beta)\d*$/.test(parsed.url) ? parsed.url : `${parsed.url}/v1beta`;
}
