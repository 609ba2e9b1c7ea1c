import type { Settings } from "../../config/settings.ts";
import { withModel } from "../../http/proxy/rewrite/model.ts";
import type { App } from "../../http/server/app.ts";
import { readJson } from "../../http/server/body.ts";
import type { Scope } from "../../http/server/fastpath.ts";
import { dialectOf } from "../../wire/route.ts";
import { hasImages } from "../media/imagepart.ts";
import { fetchesImages, prepareMedia } from "../media/prepare.ts";
import type { RequestRecord } from "../record/record.ts";
import type { Recorder } from "../record/recorder.ts";
import { CHUNK_CHARS_MIN, fingerprint } from "../routing/prompt.ts";
import { capabilityOf } from "../upstream/capability.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { Inquiry } from "./inquiry.ts";
import type { Needs } from "./needs.ts";
import { addressOf } from "./principal.ts";
import { queryOf } from "./query.ts";
import { ROUTES, type Route } from "./route.ts";
import type { Asking, Sender } from "./sender.ts";

export interface InferenceOptions {
  pool: UpstreamPool;
  sender: Sender;
  needs: Needs;
  recorder: Recorder;
  settings: Settings;
}

/** The inference routes with JSON bodies: each request goes on to where its model is. */
export function routeInference(app: App, options: InferenceOptions): void {
  const inference = new Inference(options);
  for (const route of ROUTES) app.fast(route.path, (c) => inference.answer(c, route));
}

/** A request as it came. */
interface Read extends Asking {
  route: Route;
  bytes: Uint8Array<ArrayBuffer>;
  value: Record<string, unknown>;
}

class Inference {
  readonly #options: InferenceOptions;
  readonly #prefixes: boolean;

  constructor(options: InferenceOptions) {
    this.#options = options;
    this.#prefixes = options.settings.strategy === "prefix";
  }

  async answer(c: Scope, route: Route): Promise<Response> {
    const { sender, recorder } = this.#options;
    let record: RequestRecord | undefined;
    try {
      const read = await this.#read(c, route);
      record = read.record;
      const cloud = sender.cloudOf(read.model);
      const estimated = cloud === undefined ? this.#estimated(read) : undefined;
      if (estimated !== undefined) return estimated;
      const inquired = this.#inquire(read, fetchesImages(cloud?.provider.name));
      const inquiry = inquired instanceof Promise ? await inquired : inquired;
      const { response, sent } = await sender.send(read, inquiry, cloud);
      c.set("sent", sent);
      record.answered(response.status, sent);
      return response;
    } catch (error) {
      if (record === undefined) recorder.unread(error);
      else record.refused(error);
      throw error;
    }
  }

  async #read(c: Scope, route: Route): Promise<Read> {
    const { pool, recorder, settings } = this.#options;
    const read = await readJson(c, route.schema, settings.bodyLimitBytes);
    const { value } = read;
    const { path } = route;
    const { headers } = c.req.raw;
    const model = value.model || route.modelDefault(settings);
    const bytes = value.model ? read.bytes : withModel(read.bytes, model);
    const id = pool.idOf(model);
    const streams = route.streamsByDefault ? value.stream !== false : value.stream === true;
    const requestId = c.get("requestId");
    const address = addressOf(c);
    const { type, writes } = route;
    const facts = { requestId, type, writes, model: id, streams, headers, body: bytes, address };
    const record = recorder.begin(facts);
    return { c, path, route, bytes, value, model, id, streams, address, record };
  }

  /** The answer without an endpoint, if this route has one and none that is up has the route. */
  #estimated({ route, value, id, record }: Read): Response | undefined {
    const { estimate, need } = route;
    if (estimate === undefined) return undefined;
    const { pool } = this.#options;
    const there = pool.serving(id).filter(({ health }) => health.status !== "offline");
    const isKnown = there.some((endpoint) => need?.isMetBy(endpoint, id) ?? true);
    if (there.length === 0 || isKnown) return undefined;
    const response = Response.json(estimate(value));
    record.answered(response.status, Promise.resolve("complete"));
    return response;
  }

  /** The question with its images checked, and fetched unless a cloud does that itself. */
  #inquire(read: Read, handOn: boolean): Inquiry | Promise<Inquiry> {
    const { c, path } = read;
    const { bodyLimitBytes: limitBytes, privateMedia: allowPrivate } = this.#options.settings;
    if (!hasImages(read.value, path)) return this.#inquiry(read, false);
    const media = { path, caller: c.req.raw, allowPrivate, limitBytes, handOn };
    const prepared = prepareMedia(read, media);
    if (!(prepared instanceof Promise)) return this.#inquiry(read, true);
    return prepared.then((body) => this.#inquiry({ ...read, ...body }, true));
  }

  #inquiry(read: Read, seesImages: boolean): Inquiry {
    const { c, path, route, model, id, bytes, value, streams } = read;
    const ability = capabilityOf(path, seesImages);
    const { need: routeNeed } = route;
    // A shorter body cannot have a prompt of one chunk.
    const isLong = bytes.length >= CHUNK_CHARS_MIN;
    const fingerprinted = this.#prefixes && isLong && route.prompts;
    return new Inquiry({
      route,
      model,
      id,
      bytes,
      value,
      streams,
      query: queryOf(c.req.url),
      requestId: c.get("requestId"),
      dialect: dialectOf(path),
      need: () => this.#options.needs.of({ model, id, ability, routeNeed }),
      fingerprint: fingerprinted ? fingerprint(id, value) : undefined,
    });
  }
}
