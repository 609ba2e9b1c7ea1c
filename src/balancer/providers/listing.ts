import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";
import { LISTED_MODELS_MAX } from "../upstream/listedmodels.ts";
import type { ModelListing, ModelListingPage } from "./api.ts";
import type { Provider } from "./provider.ts";

/** More pages than any provider has. */
const PAGES_MAX = 20;

/**
 * All models of a provider, page by page, at most `LISTED_MODELS_MAX`; a text that says why if that
 * failed. `timeoutMs` is for all pages together. Never throws.
 */
export async function fetchModels(
  provider: Provider,
  { timeoutMs, ...options }: GetJsonOptions,
): Promise<ModelListing[] | string> {
  const { listPath, readPage } = provider.api;
  const endsAt = performance.now() + timeoutMs;
  const models: ModelListing[] = [];
  let path: string | undefined = listPath;
  const isFull = () => models.length >= LISTED_MODELS_MAX;
  for (let page = 0; path !== undefined && page < PAGES_MAX && !isFull(); page += 1) {
    const left = Math.max(1, endsAt - performance.now());
    const answer = await getJson(provider, path, { timeoutMs: left, ...options });
    if (!answer.ok) return answer.reason;
    const listed: ModelListingPage | undefined = readPage(answer.json);
    if (listed === undefined) return `GET ${path} answered with something else than models`;
    models.push(...listed.models);
    path = listed.next;
  }
  return models.slice(0, LISTED_MODELS_MAX);
}
