import { z } from "zod";
import { GoogleModels } from "../../wire/google.ts";
import { ModelList } from "../../wire/openai.ts";
import { getJson } from "../upstream/client.ts";
import type { Provider } from "./provider.ts";

/** A model as its provider lists it. */
export interface ProviderListing {
  id: string;
  /** Unix seconds; 0 when unknown. */
  created: number;
  /** `chat_completions`, `responses`, `messages`, `embeddings`. */
  apis: string[];
  maxTokens?: number;
}

export interface FetchOptions {
  /** Longest wait for all pages together. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** Whoever chats is asked in every dialect. */
const CHAT_APIS = ["chat_completions", "responses", "messages"];

/** More pages than any provider has. */
const PAGES_MAX = 20;

/** One page: what it lists, and the path of the next one. */
interface Page {
  models: ProviderListing[];
  next: string | undefined;
}

/** All models of a provider, page by page; a text that says why if that failed. Never throws. */
export async function fetchModels(
  provider: Provider,
  { timeoutMs, signal }: FetchOptions,
): Promise<ProviderListing[] | string> {
  const [first, read] = READERS[provider.api];
  const endsAt = performance.now() + timeoutMs;
  const models: ProviderListing[] = [];
  let path: string | undefined = first;
  for (let page = 0; path !== undefined && page < PAGES_MAX; page += 1) {
    const left = Math.max(1, endsAt - performance.now());
    const answer = await getJson(provider, path, { timeoutMs: left, signal });
    if (!answer.ok) return answer.reason;
    const listed: Page | undefined = read(answer.json);
    if (listed === undefined) return `GET ${path} answered with something else than models`;
    models.push(...listed.models);
    path = listed.next;
  }
  return models;
}

const READERS: Record<Provider["api"], [string, (json: unknown) => Page | undefined]> = {
  openai: ["/v1/models", openaiPage],
  google: [googlePath(), googlePage],
  anthropic: [anthropicPath(), anthropicPage],
};

function openaiPage(json: unknown): Page | undefined {
  const list = ModelList.safeParse(json).data;
  if (list === undefined) return undefined;
  const models = list.data.map(({ id, created }) => ({
    id,
    created: typeof created === "number" ? created : 0,
    apis: openaiApis(id),
  }));
  return { models, next: undefined };
}

/** OpenAI's list does not say; names do. */
function openaiApis(id: string): string[] {
  if (/embed/i.test(id)) return ["embeddings"];
  if (/^(?:tts|whisper|dall-e|sora)|transcribe|moderation|-image|-tts|realtime/.test(id)) return [];
  return CHAT_APIS;
}

function googlePath(token?: string): string {
  const from = token === undefined ? "" : `&pageToken=${encodeURIComponent(token)}`;
  return `/models?pageSize=1000${from}`;
}

function googlePage(json: unknown): Page | undefined {
  const list = GoogleModels.safeParse(json).data;
  if (list === undefined) return undefined;
  const models = list.models.flatMap(({ name, inputTokenLimit, supportedGenerationMethods }) => {
    const apis = supportedGenerationMethods.flatMap((method) => GOOGLE_APIS.get(method) ?? []);
    if (apis.length === 0) return [];
    const limit = inputTokenLimit === undefined ? {} : { maxTokens: inputTokenLimit };
    return [{ id: name.replace(/^models\//, ""), created: 0, apis: [...new Set(apis)], ...limit }];
  });
  const { nextPageToken: token } = list;
  return { models, next: token ? googlePath(token) : undefined };
}

const GOOGLE_APIS = new Map([
  ["generateContent", CHAT_APIS],
  ["embedContent", ["embeddings"]],
]);

const AnthropicModels = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), created_at: z.string().optional() })),
  has_more: z.boolean().default(false),
  last_id: z.string().nullish(),
});

function anthropicPath(after?: string): string {
  const from = after === undefined ? "" : `&after_id=${encodeURIComponent(after)}`;
  return `/v1/models?limit=1000${from}`;
}

function anthropicPage(json: unknown): Page | undefined {
  const list = AnthropicModels.safeParse(json).data;
  if (list === undefined) return undefined;
  const models = list.data.map(({ id, created_at }) => {
    const createdMs = Date.parse(created_at ?? "");
    const created = Number.isFinite(createdMs) ? Math.max(0, Math.floor(createdMs / 1000)) : 0;
    return { id, created, apis: CHAT_APIS };
  });
  return { models, next: list.has_more && list.last_id ? anthropicPath(list.last_id) : undefined };
}
