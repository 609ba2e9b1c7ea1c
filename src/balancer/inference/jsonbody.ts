import type { ZodType } from "zod";
import type { Settings } from "../../config/settings.ts";
import { withModel } from "../../http/proxy/rewrite/model.ts";
import { type GuardedSchema, type JsonBody, readJson } from "../../http/server/body.ts";
import { estimateInputTokens } from "../../translation/client/anthropic/tokenestimate.ts";
import { statefulFieldRefusal } from "../../translation/client/responses/statefulfields.ts";
import type { ApiError } from "../../wire/error.ts";
import { IMAGE_MODEL_DEFAULT, ImageRequest, SpeechRequest } from "../../wire/media.ts";
import { EmbeddingsRequest, InferenceRequest, isInferenceRequest } from "../../wire/openai.ts";
import type { RouteName } from "../../wire/route.ts";
import { CONTINUES } from "../continuation/request.ts";
import { prepareMedia } from "../media/prepare.ts";
import { hasImages } from "../media/requestimage.ts";
import { CHUNK_CHARS_MIN, fingerprint } from "../routing/prompt.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { RequestAdapter } from "./adapter.ts";
import type { ClientBody, UpstreamRequest } from "./body.ts";
import type { RequestContext } from "./context.ts";

/** The fields that are read of every request; others pass. */
interface Fields {
  model?: string | null | undefined;
  stream?: unknown;
  [field: string]: unknown;
}

/** What is particular about a route's JSON bodies. */
interface JsonRules {
  schema: ZodType<Fields> | GuardedSchema<Fields>;
  /** The model of requests that name none, where they may. */
  modelDefault?(settings: Settings): string;
  /** Why only who keeps something of earlier requests may be able to answer. */
  refusal?(request: unknown): ApiError | undefined;
  /** The answer where no endpoint with the model has the route. */
  estimate?(request: unknown): object;
}

const RULES_DEFAULT: JsonRules = {
  schema: { schema: InferenceRequest, accepts: isInferenceRequest },
};

/** Of the routes whose bodies are not read like those of chat completions. */
const RULES: Partial<Record<RouteName, JsonRules>> = {
  embeddings: {
    schema: EmbeddingsRequest,
    modelDefault: ({ embeddingModel }) => embeddingModel,
  },
  responses: { ...RULES_DEFAULT, refusal: statefulFieldRefusal },
  count_tokens: {
    ...RULES_DEFAULT,
    estimate: (request) => ({ input_tokens: estimateInputTokens(request) }),
  },
  speech: { schema: SpeechRequest },
  imagegeneration: { schema: ImageRequest, modelDefault: () => IMAGE_MODEL_DEFAULT },
};

/** Reads a JSON body. Throws 400, 413, 415. */
export async function readJsonBody(
  context: RequestContext,
  settings: Settings,
): Promise<JsonClientBody> {
  const rules = RULES[context.route.name] ?? RULES_DEFAULT;
  const body = await readJson(context.scope, rules.schema, settings.bodyLimitBytes);
  return new JsonClientBody({ context, settings, rules, body });
}

interface JsonClientBodyParts {
  context: RequestContext;
  settings: Settings;
  rules: JsonRules;
  body: JsonBody<Fields>;
}

/** A JSON body: its bytes as they came, and what was read of them. */
class JsonClientBody implements ClientBody {
  readonly isSendable = true;
  readonly hasImages: boolean;
  readonly model: string;
  /** The bytes as the client sent them, with the default model in them if it named none. */
  readonly recorded: Uint8Array<ArrayBuffer>;
  readonly #context: RequestContext;
  readonly #settings: Settings;
  readonly #rules: JsonRules;
  /** With its images in it, once they are prepared. */
  #body: JsonBody<Fields>;
  #adapter: RequestAdapter | undefined;

  constructor({ context, settings, rules, body }: JsonClientBodyParts) {
    this.#context = context;
    this.#settings = settings;
    this.#rules = rules;
    const { value } = body;
    this.model = value.model || (rules.modelDefault?.(settings) ?? "");
    this.#body = value.model ? body : { ...body, bytes: withModel(body.bytes, this.model) };
    this.recorded = this.#body.bytes;
    this.hasImages = hasImages(value, context.route);
  }

  get stream(): boolean | undefined {
    const { stream } = this.#body.value;
    return typeof stream === "boolean" ? stream : undefined;
  }

  fingerprint(): Float64Array | undefined {
    const { route, modelId } = this.#context;
    // A shorter body cannot have a prompt of one chunk.
    const isLong = this.#body.bytes.length >= CHUNK_CHARS_MIN;
    return isLong && route.hasPrompt ? fingerprint(modelId, this.#body.value) : undefined;
  }

  prepareMedia(): Promise<void> | undefined {
    if (!this.hasImages) return undefined;
    const { route, client, provider } = this.#context;
    const { bodyLimitBytes: limitBytes, privateMedia: allowPrivate, imagesMax } = this.#settings;
    const fetchedByUpstream = provider?.fetchesImages === true;
    const options = { route, client, allowPrivate, limitBytes, imagesMax, fetchedByUpstream };
    const prepared = prepareMedia(this.#body, options);
    if (!(prepared instanceof Promise)) return undefined;
    return prepared.then((body) => {
      this.#body = body;
    });
  }

  requestFor(upstream: Upstream): UpstreamRequest {
    this.#adapter ??= new RequestAdapter(this.#context, this.#body);
    return this.#adapter.requestFor(upstream);
  }

  get previousId(): string | undefined {
    const { previous_response_id: id } = this.#body.value;
    return typeof id === "string" && this.#context.route.name === "responses" ? id : undefined;
  }

  get continues(): boolean {
    return this.#body.value[CONTINUES] === true;
  }

  get isBackground(): boolean {
    return this.#body.value.background === true && this.#context.route.name === "responses";
  }

  get stateRefusal(): ApiError | undefined {
    return this.#rules.refusal?.(this.#body.value);
  }

  get ownAnswer(): (() => object) | undefined {
    const { estimate } = this.#rules;
    return estimate === undefined ? undefined : () => estimate(this.#body.value);
  }

  close(): undefined {
    return undefined;
  }
}
