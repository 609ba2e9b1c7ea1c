import type { Settings } from "../../config/settings.ts";
import type { App } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import type { Scope } from "../../http/direct.ts";
import type { Forwarded } from "../../http/forward.ts";
import { ApiError, dialectOf, type ErrorKind } from "../../wire/error.ts";
import { abilityNeed, abilityOf, requireAbility } from "../abilities.ts";
import { addressOf, clientOf } from "../client.ts";
import type { CloudModel } from "../clouds/cloudmodel.ts";
import type { Clouds } from "../clouds/clouds.ts";
import { sendToCloud } from "../clouds/send.ts";
import type { Dispatcher } from "../dispatch.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Fleet } from "../fleet.ts";
import { hasImages } from "../media/part.ts";
import { fetchesImages, prepareMedia } from "../media/prepare.ts";
import type { Entry } from "../record/entry.ts";
import type { Recorder } from "../record/recorder.ts";
import { withModel } from "../rewrite/model.ts";
import { CHUNK_CHARS_MIN, fingerprint } from "../routing/prompt.ts";
import type { Need } from "../routing/request.ts";
import { Inquiry } from "./inquiry.ts";
import { ROUTES, type Route } from "./route.ts";

export interface InferenceOptions {
  fleet: Fleet;
  clouds: Clouds;
  dispatcher: Dispatcher;
  recorder: Recorder;
  settings: Settings;
}

/** Ends of a request at our endpoints after which an operator's rule may send it to a cloud. */
const GIVEN_UP = new Set<ErrorKind>([
  ...(["model_not_found", "no_endpoint", "rate_limited", "timeout", "upstream"] as const),
]);

/** The inference routes with JSON bodies: each request goes on to where its model is. */
export function routeInference(app: App, options: InferenceOptions): void {
  const inference = new Inference(options);
  for (const route of ROUTES) app.direct(route.path, (c) => inference.answer(c, route));
}

/** A request as it came. */
interface Asking {
  c: Scope;
  route: Route;
  bytes: Uint8Array<ArrayBuffer>;
  value: Record<string, unknown>;
  /** As the client calls it. */
  model: string;
  /** As the balancer lists it. */
  id: string;
  streams: boolean;
  address: string | undefined;
  record: Entry;
}

/** What was found of a model's endpoints a moment ago; there may be hundreds of them. */
interface Known {
  serving: readonly Endpoint[];
  untilMs: number;
  all: boolean;
}

const KNOWN_MS_MAX = 1000;
const KNOWN_MAX = 10_000;

class Inference {
  readonly #options: InferenceOptions;
  readonly #prefixes: boolean;
  /** By ability and model, whether all that serve it have it. */
  readonly #abilities = new Map<string, Known>();

  constructor(options: InferenceOptions) {
    this.#options = options;
    this.#prefixes = options.settings.strategy === "prefix";
  }

  async answer(c: Scope, route: Route): Promise<Response> {
    let record: Entry | undefined;
    try {
      const asking = await this.#read(c, route);
      record = asking.record;
      const { response, sent } = await this.#send(asking);
      c.set("sent", sent);
      record.answered(response.status, sent);
      return response;
    } catch (error) {
      if (record === undefined) this.#options.recorder.unread(error);
      else record.refused(error);
      throw error;
    }
  }

  async #read(c: Scope, route: Route): Promise<Asking> {
    const { fleet, recorder, settings } = this.#options;
    const read = await readJson(c, route.schema, settings.bodyLimitBytes);
    const { value } = read;
    const { path } = route;
    const { headers } = c.req.raw;
    const model = value.model || settings.embeddingModel;
    const bytes = value.model ? read.bytes : withModel(read.bytes, model);
    const id = fleet.idOf(model);
    const streams = route.streamsByDefault ? value.stream !== false : value.stream === true;
    const requestId = c.get("requestId");
    const address = addressOf(c);
    const facts = { requestId, path, model: id, streams, headers, body: bytes, address };
    const record = recorder.begin(facts);
    return { c, route, bytes, value, model, id, streams, address, record };
  }

  async #send(asking: Asking): Promise<Forwarded> {
    const { clouds } = this.#options;
    const cloud = clouds.find(asking.model);
    const inquiry = await this.#inquire(asking, cloud);
    if (cloud !== undefined) return this.#toCloud(asking, inquiry, cloud);
    const fallback = clouds.fallbackOf(asking.model);
    if (fallback === undefined) return this.#toFleet(asking, inquiry);
    try {
      return await this.#toFleet(asking, inquiry);
    } catch (error) {
      if (!(error instanceof ApiError) || !GIVEN_UP.has(error.kind)) throw error;
      return this.#toCloud(asking, inquiry, fallback);
    }
  }

  /** The request with its images checked, and fetched unless the cloud does that itself. */
  async #inquire(asking: Asking, cloud: CloudModel | undefined): Promise<Inquiry> {
    const { c, route, model, id, streams } = asking;
    const { bodyLimitBytes: limitBytes, privateMedia: allowPrivate } = this.#options.settings;
    const handOn = fetchesImages(cloud?.provider.name);
    const media = { path: route.path, caller: c.req.raw, allowPrivate, limitBytes, handOn };
    const prepared = prepareMedia(asking, media);
    const { bytes, value } = prepared instanceof Promise ? await prepared : prepared;
    const requestId = c.get("requestId");
    const dialect = dialectOf(route.path);
    const query = queryOf(c.req.url);
    return new Inquiry({
      ...{ route, query, model, id, bytes, value, streams, dialect, requestId },
    });
  }

  #toFleet(asking: Asking, inquiry: Inquiry): Promise<Forwarded> {
    const { c, route, bytes, value, id, streams, address, record } = asking;
    route.refuse?.(value);
    const need = this.#needOf(asking);
    const { headers } = c.req.raw;
    // A shorter body cannot have a prompt of one chunk.
    const isLong = bytes.length >= CHUNK_CHARS_MIN;
    const fingerprinted = this.#prefixes && isLong && route.prompts;
    return this.#options.dispatcher.dispatch({
      ...{ model: id, need, streams, headers, record },
      requestId: c.get("requestId"),
      dialect: dialectOf(route.path),
      callTo: (endpoint) => inquiry.callTo(endpoint),
      caller: c.req.raw,
      client: clientOf(headers, address),
      fingerprint: fingerprinted ? fingerprint(id, value) : undefined,
      method: "POST",
    });
  }

  /** What an endpoint must have for a request. Throws 400 if the model cannot do it anywhere. */
  #needOf({ route, bytes, value, model, id }: Asking): Need<Endpoint> | undefined {
    const serving = this.#options.fleet.serving(id);
    const mayHaveImages = Buffer.from(bytes.buffer, bytes.byteOffset).includes("image");
    const ability = abilityOf(route.path, mayHaveImages && hasImages(value, route.path));
    if (ability === undefined) return route.need;
    const key = `${ability} ${id}`;
    const known = this.#abilities.get(key);
    const nowMs = performance.now();
    if (known !== undefined && known.serving === serving && nowMs < known.untilMs) {
      return known.all ? route.need : abilityNeed(ability, route.need);
    }
    const all = requireAbility({ model, id, ability }, serving).length === serving.length;
    if (this.#abilities.size >= KNOWN_MAX) this.#abilities.clear();
    this.#abilities.set(key, { serving, untilMs: nowMs + KNOWN_MS_MAX, all });
    return all ? route.need : abilityNeed(ability, route.need);
  }

  #toCloud(asking: Asking, inquiry: Inquiry, cloud: CloudModel): Promise<Forwarded> {
    const { c, route, record } = asking;
    const { clouds, settings } = this.#options;
    const { firstByteTimeoutMs, idleTimeoutMs } = settings;
    const request = {
      ...{ cloud, record, firstByteTimeoutMs, idleTimeoutMs, caller: c.req.raw, method: "POST" },
      call: inquiry.callToCloud(cloud),
      headers: c.req.raw.headers,
      requestId: c.get("requestId"),
      dialect: dialectOf(route.path),
    };
    return sendToCloud(request, clouds.metrics);
  }
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return "";
  const end = url.indexOf("#", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
