import type { Translation } from "../translation/translation.ts";

/** One of the client APIs' inference routes whose body is JSON. */
export interface Route {
  path: string;
  /** What its requests are called in history and statistics. */
  type: string;
  /** Its requests have a prompt of which endpoints keep what they computed. */
  prompts: boolean;
  /** Its streams tell usage as those of chat completions do. */
  usage: boolean;
  /** It streams unless told not to, as Ollama does. */
  streamsByDefault: boolean;
  /** How to put a request to an endpoint that does not speak this API. */
  via: ((request: unknown) => Translation) | undefined;
}

type Given = Pick<Route, "path" | "type"> & Partial<Route>;

const defaults = { prompts: false, usage: false, streamsByDefault: false, via: undefined };

/** Every such route; those without `via` need an endpoint that speaks them. */
export const ROUTES: readonly Route[] = (
  [
    { path: "/v1/chat/completions", type: "chat", prompts: true, usage: true },
    { path: "/v1/completions", type: "generate", prompts: true, usage: true },
    { path: "/v1/embeddings", type: "embeddings" },
    { path: "/v1/responses", type: "responses", prompts: true },
    { path: "/v1/messages", type: "anthropic_messages", prompts: true },
    { path: "/v1/messages/count_tokens", type: "count_tokens" },
  ] satisfies Given[]
).map((route: Given) => ({ ...defaults, ...route }));
