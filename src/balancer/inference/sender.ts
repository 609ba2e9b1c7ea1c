import type { Settings } from "../../config/settings.ts";
import type { Forwarded } from "../../http/proxy/forward.ts";
import type { Scope } from "../../http/server/fastpath.ts";
import { ApiError, type ErrorKind } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";
import type { ProviderModel } from "../providers/model.ts";
import type { Providers } from "../providers/providers.ts";
import { sendToCloud } from "../providers/send.ts";
import type { RequestRecord } from "../record/record.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Dispatcher } from "./attempts.ts";
import type { Call } from "./call.ts";
import { clientOf } from "./principal.ts";
import { mayRetry } from "./retry.ts";

export interface SenderOptions {
  clouds: Providers;
  dispatcher: Dispatcher;
  settings: Settings;
}

/** Who asks, for which model. */
export interface Asking {
  c: Scope;
  path: string;
  /** The model as the client calls it. */
  model: string;
  /** As the balancer lists it. */
  id: string;
  streams: boolean;
  address: string | undefined;
  record: RequestRecord;
}

/** What is asked, as endpoints and clouds get it. */
export interface Question {
  /** What an endpoint must have besides the model. Throws for what none of ours can do. */
  need(): Requirement<Endpoint> | undefined;
  /** What to send to an endpoint. Throws `invalid_request` for what it cannot be asked. */
  callTo(endpoint: Endpoint): Call;
  /** The same for a cloud. */
  callToCloud(cloud: ProviderModel): Call;
  /** Of its prompt, where the strategy needs it. */
  readonly fingerprint: Float64Array | undefined;
  /** Whether it can be sent (again). */
  readonly sendable: boolean;
}

/** Ends of a request at our endpoints after which an operator's rule may send it to a cloud. */
const GIVEN_UP = new Set<ErrorKind>([
  ...(["model_not_found", "no_endpoint", "rate_limited", "timeout", "upstream"] as const),
]);

/** Sends requests where their model is: to an endpoint, to a cloud, or to one after the other. */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** The cloud's model that a request is for by its prefix, if it is. Throws 401 without a key. */
  cloudOf(model: string): ProviderModel | undefined {
    return this.#options.clouds.find(model);
  }

  /** Sends a question, to `cloud` if that is given. Throws what dispatcher and `forward` throw. */
  async send(
    asking: Asking,
    question: Question,
    cloud: ProviderModel | undefined,
  ): Promise<Forwarded> {
    if (cloud !== undefined) return this.#toCloud(asking, question, cloud);
    const fallback = this.#options.clouds.fallbackOf(asking.model);
    if (fallback === undefined) return this.#toPool(asking, question);
    try {
      const forwarded = await this.#toPool(asking, question);
      const { status } = forwarded.response;
      const isOver = !mayRetry({ status, streams: asking.streams }) || !question.sendable;
      if (isOver) return forwarded;
      await forwarded.response.body?.cancel();
    } catch (error) {
      const isGivenUp = error instanceof ApiError && GIVEN_UP.has(error.kind);
      if (!isGivenUp || !question.sendable) throw error;
    }
    return this.#toCloud(asking, question, fallback);
  }

  #toPool(asking: Asking, question: Question): Promise<Forwarded> {
    const { c, path, id, streams, address, record } = asking;
    const { headers } = c.req.raw;
    return this.#options.dispatcher.dispatch({
      model: id,
      need: question.need(),
      streams,
      headers,
      record,
      question,
      requestId: c.get("requestId"),
      dialect: dialectOf(path),
      caller: c.req.raw,
      client: clientOf(headers, address),
      method: "POST",
    });
  }

  #toCloud(
    { c, path, record }: Asking,
    question: Question,
    cloud: ProviderModel,
  ): Promise<Forwarded> {
    const { clouds, settings } = this.#options;
    const { firstByteTimeoutMs, idleTimeoutMs } = settings;
    const request = {
      ...{ cloud, record, firstByteTimeoutMs, idleTimeoutMs, caller: c.req.raw, method: "POST" },
      call: question.callToCloud(cloud),
      headers: c.req.raw.headers,
      requestId: c.get("requestId"),
      dialect: dialectOf(path),
    };
    return sendToCloud(request, clouds);
  }
}
