import { getJson } from "../upstream/jsonclient.ts";
import type { ModelListing, ModelListingPage } from "./api.ts";
import type { Provider } from "./provider.ts";

export interface ListingOptions {
  /** Longest wait for all pages together. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** More pages than any provider has. */
const PAGES_MAX = 20;

/** All models of a provider, page by page; a text that says why if that failed. Never throws. */
export async function fetchModels(
  provider: Provider,
  { timeoutMs, signal }: ListingOptions,
): Promise<ModelListing[] | string> {
  const { listPath, readPage } = provider.api;
  const endsAt = performance.now() + timeoutMs;
  const models: ModelListing[] = [];
  let path: string | undefined = listPath;
  for (let page = 0; path !== undefined && page < PAGES_MAX; page += 1) {
    const left = Math.max(1, endsAt - performance.now());
    const answer = await getJson(provider, path, { timeoutMs: left, signal });
    if (!answer.ok) return answer.reason;
    const listed: ModelListingPage | undefined = readPage(answer.json);
    if (listed === undefined) return `GET ${path} answered with something else than models`;
    models.push(...listed.models);
    path = listed.next;
  }
  return models;
}
