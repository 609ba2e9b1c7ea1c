import { EventLines } from "../../http/proxy/rewrite/lines.ts";
import { ModelRewrite, withModel } from "../../http/proxy/rewrite/model.ts";
import { askingForUsage, UsageEdit } from "../../http/proxy/rewrite/usage.ts";
import { TranslatedRewrite } from "../../translation/translated.ts";
import type { Translation } from "../../translation/translation.ts";
import type { Dialect } from "../../wire/error.ts";
import type { ProviderModel } from "../providers/model.ts";
import { estimateInput } from "../record/estimate.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Call } from "./call.ts";
import type { Route } from "./route.ts";
import type { Question } from "./sender.ts";

/** A request as its client wrote it. */
export interface InquiryOptions {
  route: Route;
  /** With the question mark; "" for none. */
  query: string;
  /** The model as the client calls it. */
  model: string;
  /** The same as the balancer lists it. */
  id: string;
  bytes: Uint8Array<ArrayBuffer>;
  value: Record<string, unknown>;
  streams: boolean;
  dialect: Dialect;
  requestId: string;
  need: Question["need"];
  fingerprint: Float64Array | undefined;
}

/**
 * A request with a JSON body and how it is put to whichever endpoint it goes to: as it came if
 * that speaks the client's API and knows the model by the client's name, else with the endpoint's
 * own name, or translated.
 */
export class Inquiry implements Question {
  readonly #options: InquiryOptions;
  readonly sendable = true;
  readonly fingerprint: Float64Array | undefined;
  /** For endpoints that get it as it came; the same for all of them. */
  readonly #plain: Call;
  #translation: Translation | undefined;

  constructor(options: InquiryOptions) {
    this.#options = options;
    this.fingerprint = options.fingerprint;
    const { route, query, bytes } = options;
    this.#plain = { pathAndQuery: route.path + query, body: bytes, rewrite: undefined };
  }

  /** Throws for what none of our endpoints can do, whatever it has. */
  need(): ReturnType<Question["need"]> {
    const { route, value, need } = this.#options;
    route.refuse?.(value);
    return need();
  }

  /** What to send to an endpoint. Throws `invalid_request` for what it cannot be asked. */
  callTo(endpoint: Endpoint): Call {
    const { route, model, id } = this.#options;
    const name = endpoint.served.get(id) ?? model;
    if (!endpoint.speaks(route.path) && route.via !== undefined) return this.#translated(name);
    if (route.usage && this.#options.streams) return this.#withUsage(endpoint, name);
    if (name === model) return this.#plain;
    const body = withModel(this.#options.bytes, name);
    return { ...this.#plain, body, rewrite: new ModelRewrite(model) };
  }

  /** What to send to a cloud. Throws `invalid_request` for what it cannot be asked. */
  callToCloud(cloud: ProviderModel): Call {
    const { route, bytes, value, model } = this.#options;
    const via = cloud.via(route.path);
    if (via === undefined) {
      const body = withModel(bytes, cloud.model);
      return { ...this.#plain, body, rewrite: new ModelRewrite(model) };
    }
    const translation = via(value);
    const { known } = translation;
    const call = this.#through(translation, translation.body);
    return known === undefined ? call : { ...call, known };
  }

  /** The request as another API has it, under the endpoint's name for the model. */
  #translated(name: string): Call {
    const { route, value } = this.#options;
    this.#translation ??= route.via?.(value);
    const translation = this.#translation;
    if (translation === undefined) return this.#plain;
    return this.#through(translation, { ...translation.body, model: name });
  }

  #through(translation: Translation, body: object): Call {
    const { model, dialect, requestId, streams } = this.#options;
    return {
      pathAndQuery: translation.path,
      body: Buffer.from(JSON.stringify(body)),
      rewrite: new TranslatedRewrite({ translation, model, dialect, requestId, streams }),
    };
  }

  /** A stream of completions, whose usage is made what the client asked for. */
  #withUsage(endpoint: Endpoint, name: string): Call {
    const { value, bytes, model } = this.#options;
    const options = value.stream_options;
    const wish = isObject(options) ? options : {};
    const asked = wish.include_usage === true;
    // Of vLLM and others: usage so far in every event.
    const isContinuous = wish.continuous_usage_stats === true;
    const isRenamed = name !== model;
    const { tellsUsage } = endpoint;
    if (!asked && !isRenamed && tellsUsage === "asked") return this.#plain;
    const mayAsk = tellsUsage === "asks" && options === undefined;
    const renamed = isRenamed ? withModel(bytes, name) : bytes;
    const rename = isRenamed ? [new ModelRewrite(model)] : [];
    const promptTokens = () =>
      estimateInput(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const edits = () => [
      ...rename,
      ...(isContinuous ? [] : [new UsageEdit({ asked, promptTokens })]),
    ];
    return {
      pathAndQuery: this.#plain.pathAndQuery,
      body: mayAsk ? askingForUsage(renamed) : renamed,
      rewrite: {
        whole: (answer) => rename[0]?.whole(answer) ?? { bytes: answer },
        stream: () => new EventLines(edits()),
      },
    };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
