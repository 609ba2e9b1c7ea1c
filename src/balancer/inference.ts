import type { App, AppContext } from "../http/app.ts";
import { readJson } from "../http/body.ts";
import { dialectOf } from "../wire/error.ts";
import { INFERENCE_PATHS, InferenceRequest } from "../wire/openai.ts";
import type { Dispatcher } from "./dispatch.ts";

export interface InferenceOptions {
  dispatcher: Dispatcher;
  /** Largest request body accepted. */
  bodyLimitBytes: number;
}

/** The inference routes: each request goes on to an endpoint that has its model. */
export function routeInference(app: App, options: InferenceOptions): void {
  const { dispatcher, bodyLimitBytes } = options;

  async function infer(c: AppContext): Promise<Response> {
    const { bytes, value } = await readJson(c, InferenceRequest, bodyLimitBytes);
    const { response, sent } = await dispatcher.dispatch({
      model: value.model,
      pathAndQuery: c.req.path + queryOf(c.req.url),
      method: "POST",
      headers: c.req.raw.headers,
      body: bytes,
      requestId: c.get("requestId"),
      dialect: dialectOf(c.req.path),
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
