import type { RouteName } from "../../wire/route.ts";
import type { Translator } from "../upstream/translator.ts";
import type { RouteSupport } from "../upstream/upstream.ts";

/** A model as its provider lists it. */
export interface ModelListing {
  id: string;
  /** Unix seconds; 0 when unknown. */
  created: number;
  /** `chat_completions`, `responses`, `messages`, `embeddings`. */
  apis: string[];
  maxTokens?: number;
}

/** A page of a provider's list: its models, and the path of the next page. */
export interface ModelListingPage {
  models: ModelListing[];
  next: string | undefined;
}

/** What all that chats is asked by, translated or not. */
export const CHAT_APIS = ["chat_completions", "responses", "messages"];

/** An API that a provider speaks: all that is particular about it. */
export interface ProviderApi {
  /** How it answers our routes; those that are missing it does not answer. */
  readonly routes: Readonly<Partial<Record<RouteName, RouteSupport>>>;
  /** How it is asked where it turns out to lack one of these routes. */
  readonly otherwise?: Readonly<Partial<Record<RouteName, Translator>>>;
  /** The headers by which it knows whose request it is; `key` is undefined where none is needed. */
  headers(key: string | undefined): Record<string, string>;
  /** The path of its list's first page. */
  readonly listPath: string;
  /** Reads a page of its list; undefined for something else. */
  readPage(json: unknown): ModelListingPage | undefined;
  /** All of its chat models see images; otherwise nobody says. */
  readonly seesImages: boolean;
  /** It refuses thoughts in messages that it has not signed itself. Default: false. */
  readonly wantsSignatures?: boolean;
  /** Whether a model of it goes on with a last message of the assistant's. Default: none does. */
  takesPrefill?(model: string): boolean;
  /** It fetches images that are given by URL itself; others get them in the request. */
  readonly fetchesImages: boolean;
}

/** A provider that needs no definition by an operator, but a key. */
export interface BuiltInProvider {
  /** What stands before the colon, e.g. `openai`. */
  readonly name: string;
  /** What history and statistics know it by. */
  readonly id: string;
  readonly api: ProviderApi;
  /** The setting with its key, as errors name it. */
  readonly keyName: string;
}
