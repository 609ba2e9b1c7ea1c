import type { App, AppContext } from "../http/app.ts";
import { readJson } from "../http/body.ts";
import { dialectOf } from "../wire/error.ts";
import {
  INFERENCE_PATHS,
  type InferencePath,
  InferenceRequest,
  isInferenceRequest,
} from "../wire/openai.ts";
import { addressOf, clientOf } from "./client.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Entry } from "./record/entry.ts";
import type { Recorder } from "./record/recorder.ts";
import { CHUNK_CHARS_MIN, fingerprint } from "./routing/prompt.ts";

export interface InferenceOptions {
  dispatcher: Dispatcher;
  recorder: Recorder;
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

const INFERENCE = { schema: InferenceRequest, accepts: isInferenceRequest };

/** The inference routes: each request goes on to an endpoint that has its model. */
export function routeInference(app: App, options: InferenceOptions): void {
  const { dispatcher, recorder, bodyLimitBytes, prefixes } = options;

  async function infer(c: AppContext): Promise<Response> {
    let record: Entry | undefined;
    try {
      const { bytes: body, value } = await readJson(c, INFERENCE, bodyLimitBytes);
      const { path } = c.req;
      const { headers } = c.req.raw;
      const { model } = value;
      const streams = value.stream === true;
      const requestId = c.get("requestId");
      const address = addressOf(c);
      record = recorder.begin({ requestId, path, model, streams, headers, body, address });
      // A shorter body cannot have a prompt of one chunk.
      const fingerprinted = prefixes && body.length >= CHUNK_CHARS_MIN && PROMPT_PATHS.has(path);
      const { response, sent } = await dispatcher.dispatch({
        ...{ model, streams, headers, body, requestId, record },
        caller: c.req.raw,
        client: clientOf(headers, address),
        fingerprint: fingerprinted ? fingerprint(model, value) : undefined,
        pathAndQuery: path + queryOf(c.req.url),
        method: "POST",
        dialect: dialectOf(path),
      });
      c.set("sent", sent);
      record.answered(response.status, sent);
      return response;
    } catch (error) {
      if (record === undefined) recorder.unread(error);
      else record.refused(error);
      throw error;
    }
  }

  for (const path of INFERENCE_PATHS) app.post(path, infer);
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return "";
  const end = url.indexOf("#", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
