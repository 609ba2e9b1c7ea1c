import type { EndpointSetting } from "../config/settings.ts";
import type { ForwardTarget } from "../http/forward.ts";
import type { ModelEntry } from "../wire/openai.ts";
import { type Health, PENDING } from "./health.ts";

/** The models an endpoint lists, by id. */
export type ModelMap = ReadonlyMap<string, ModelEntry>;

/** Anything requests can be routed to: its address and what we know of its state. */
export class Endpoint {
  readonly name: string;
  /** Requests that it is working on for us. */
  inFlight = 0;
  health: Health = PENDING;
  /** The last list it gave; undefined as long as it gave none. */
  models: ModelMap | undefined;
  /** Unix seconds of the first list. */
  seenAt = 0;
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor({ name, url, apiKey }: EndpointSetting) {
    this.name = name;
    // People paste the base URL of an SDK, which ends in /v1.
    this.#base = url.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  }

  /** Where to send a request for `pathAndQuery`, with the endpoint's own key. */
  target(pathAndQuery: string): ForwardTarget & { headers: Record<string, string> } {
    return {
      url: this.#base + pathAndQuery,
      headers: this.#headers,
      label: `endpoint ${this.name}`,
    };
  }
}
