import { baseUrl } from "../values/endpoint.ts";
import { type FallbackSetting, fallbackList } from "../values/fallback.ts";
import {
  type CustomProviderSetting,
  googleBaseUrl,
  providerList,
  providerNames,
} from "../values/provider.ts";
import { nonEmptyText } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

/** Which providers there are and how they are reached. Keys are null where there is none. */
export interface ProviderSettings {
  openaiApiKey: string | null;
  /** Base URLs; Google's ends in the version, the others have no `/v1`. */
  openaiBaseUrl: string;
  googleApiKey: string | null;
  googleBaseUrl: string;
  anthropicApiKey: string | null;
  anthropicBaseUrl: string;
  providers: CustomProviderSetting[];
  /** Names of those of `providers` that want the thoughts of earlier turns back. */
  providerThoughts: string[];
  fallbacks: FallbackSetting[];
}

const apiKey = () => nonEmptyText("the provider's API key");

/** The fields of `ProviderSettings`; their aliases are the variables of the providers' own SDKs. */
export const PROVIDER_FIELDS: FieldsOf<ProviderSettings> = {
  openaiApiKey: {
    name: "openai_api_key",
    flags: "--openai-api-key <key>",
    aliases: ["OPENAI_API_KEY"],
    secret: true,
    group: "Clouds",
    help: "Key for models named openai:…, also OPENAI_API_KEY",
    schema: apiKey,
    fallback: () => null,
    fallbackText: "none",
  },
  openaiBaseUrl: {
    name: "openai_base_url",
    flags: "--openai-base-url <url>",
    aliases: ["OPENAI_BASE_URL"],
    group: "Clouds",
    help: "Where OpenAI's API is, also OPENAI_BASE_URL",
    schema: () => baseUrl(),
    fallback: () => "https://api.openai.com",
  },
  googleApiKey: {
    name: "google_api_key",
    flags: "--google-api-key <key>",
    aliases: ["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    secret: true,
    group: "Clouds",
    help: "Key for models named google:…, also GOOGLE_API_KEY or GEMINI_API_KEY",
    schema: apiKey,
    fallback: () => null,
    fallbackText: "none",
  },
  googleBaseUrl: {
    name: "google_base_url",
    flags: "--google-base-url <url>",
    aliases: ["GOOGLE_API_BASE_URL"],
    group: "Clouds",
    help: "Where Google's Gemini API is, also GOOGLE_API_BASE_URL",
    schema: () => googleBaseUrl(),
    fallback: () => "https://generativelanguage.googleapis.com/v1beta",
  },
  anthropicApiKey: {
    name: "anthropic_api_key",
    flags: "--anthropic-api-key <key>",
    aliases: ["ANTHROPIC_API_KEY"],
    secret: true,
    group: "Clouds",
    help: "Key for models named anthropic:…, also ANTHROPIC_API_KEY",
    schema: apiKey,
    fallback: () => null,
    fallbackText: "none",
  },
  anthropicBaseUrl: {
    name: "anthropic_base_url",
    flags: "--anthropic-base-url <url>",
    aliases: ["ANTHROPIC_API_BASE_URL"],
    group: "Clouds",
    help: "Where Anthropic's API is, also ANTHROPIC_API_BASE_URL",
    schema: () => baseUrl(),
    fallback: () => "https://api.anthropic.com",
  },
  providers: {
    name: "providers",
    flags: "--provider <name=url>",
    group: "Clouds",
    help: "Another OpenAI-compatible cloud, for models named name:…, its key as https://KEY@host; \
may be repeated",
    schema: () => providerList(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  providerThoughts: {
    name: "provider_thoughts",
    flags: "--provider-thoughts <names>",
    group: "Clouds",
    help: "Clouds of --provider that are sent the thoughts of earlier turns, e.g. deepseek; others \
refuse them",
    schema: () => providerNames(),
    fallback: () => [],
    fallbackText: "none",
  },
  fallbacks: {
    name: "fallbacks",
    flags: "--fallback <model=cloud>",
    group: "Clouds",
    help: "Cloud model that takes the requests for a model (*: for any) that no endpoint can take, \
e.g. llama=openai:gpt-4o; may be repeated",
    schema: () => fallbackList(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
};
