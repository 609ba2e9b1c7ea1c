import type { App, AppContext } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import { dialectOf } from "../../wire/error.ts";
import { InferenceRequest, isInferenceRequest } from "../../wire/openai.ts";
import { addressOf, clientOf } from "../client.ts";
import type { Dispatcher } from "../dispatch.ts";
import type { Fleet } from "../fleet.ts";
import type { Entry } from "../record/entry.ts";
import type { Recorder } from "../record/recorder.ts";
import { CHUNK_CHARS_MIN, fingerprint } from "../routing/prompt.ts";
import { Inquiry } from "./inquiry.ts";
import { ROUTES, type Route } from "./route.ts";

export interface InferenceOptions {
  fleet: Fleet;
  dispatcher: Dispatcher;
  recorder: Recorder;
  /** Largest request body accepted. */
  bodyLimitBytes: number;
  /** Requests go where the beginning of their prompt is known. */
  prefixes: boolean;
}

const INFERENCE = { schema: InferenceRequest, accepts: isInferenceRequest };

/** The inference routes: each request goes on to an endpoint that has its model. */
export function routeInference(app: App, options: InferenceOptions): void {
  const { fleet, dispatcher, recorder, bodyLimitBytes, prefixes } = options;

  async function infer(c: AppContext, route: Route): Promise<Response> {
    let record: Entry | undefined;
    try {
      const { bytes, value } = await readJson(c, INFERENCE, bodyLimitBytes);
      const { path } = route;
      const { headers } = c.req.raw;
      const { model } = value;
      const id = fleet.idOf(model);
      const streams = route.streamsByDefault ? value.stream !== false : value.stream === true;
      const requestId = c.get("requestId");
      const dialect = dialectOf(path);
      const address = addressOf(c);
      record = recorder.begin({
        requestId,
        path,
        model: id,
        streams,
        headers,
        body: bytes,
        address,
      });
      // A shorter body cannot have a prompt of one chunk.
      const fingerprinted = prefixes && bytes.length >= CHUNK_CHARS_MIN && route.prompts;
      const query = queryOf(c.req.url);
      const inquiry = new Inquiry({
        ...{ route, query, model, id, bytes, value, streams, dialect, requestId },
      });
      const { response, sent } = await dispatcher.dispatch({
        ...{ model: id, streams, headers, requestId, record, dialect },
        callTo: (endpoint) => inquiry.callTo(endpoint),
        caller: c.req.raw,
        client: clientOf(headers, address),
        fingerprint: fingerprinted ? fingerprint(id, value) : undefined,
        method: "POST",
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

  for (const route of ROUTES) app.post(route.path, (c) => infer(c, route));
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return "";
  const end = url.indexOf("#", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
