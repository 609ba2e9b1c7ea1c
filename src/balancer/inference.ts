import type { App, AppContext } from "../http/app.ts";
import { readJson } from "../http/body.ts";
import { dialectOf } from "../wire/error.ts";
import { INFERENCE_PATHS, type InferencePath, InferenceRequest } from "../wire/openai.ts";
import { clientOf } from "./client.ts";
import type { Dispatcher } from "./dispatch.ts";
import { CHUNK_CHARS_MIN, fingerprint } from "./routing/prompt.ts";

export interface InferenceOptions {
  dispatcher: Dispatcher;
  /** Largest request body accepted. */
  bodyLimitBytes: number;
  /** Requests go where the beginning of their prompt is known. */
  prefixes: boolean;
}

/** Routes whose requests have a prompt of which endpoints keep what they computed. */
const PROMPT_PATHS = new Set<string>([
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/responses",
  "/v1/messages",
] satisfies InferencePath[]);

/** The inference routes: each request goes on to an endpoint that has its model. */
export function routeInference(app: App, options: InferenceOptions): void {
  const { dispatcher, bodyLimitBytes, prefixes } = options;

  async function infer(c: AppContext): Promise<Response> {
    const { bytes, value } = await readJson(c, InferenceRequest, bodyLimitBytes);
    const { path } = c.req;
    // A shorter body cannot have a prompt of one chunk.
    const fingerprinted = prefixes && bytes.length >= CHUNK_CHARS_MIN && PROMPT_PATHS.has(path);
    const { response, sent } = await dispatcher.dispatch({
      model: value.model,
      client: clientOf(c),
      streams: value.stream === true,
      fingerprint: fingerprinted ? fingerprint(value.model, value) : undefined,
      pathAndQuery: path + queryOf(c.req.url),
      method: "POST",
      headers: c.req.raw.headers,
      body: bytes,
      requestId: c.get("requestId"),
      dialect: dialectOf(path),
      signal: c.req.raw.signal,
    });
    c.set("sent", sent);
    return response;
  }

  for (const path of INFERENCE_PATHS) app.post(path, infer);
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return "";
  const end = url.indexOf("#", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
