import { mayUseModel } from "../../auth/modelaccess.ts";
import type { Settings } from "../../config/settings.ts";
import type { MadeResponse } from "../../db/history/records.ts";
import type { Forwarded } from "../../http/proxy/forward.ts";
import { principalOf, type Scope } from "../../http/server/scope.ts";
import { asBuffer } from "../../lib/buffer.ts";
import { ApiError } from "../../wire/error.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import { finalMessageRequirement } from "../continuation/requirement.ts";
import type { UsageLimits } from "../limits/usagelimits.ts";
import type { ProviderModel } from "../providers/model.ts";
import type { Providers } from "../providers/providers.ts";
import { estimatePromptTokens } from "../record/estimate.ts";
import type { Recorder } from "../record/recorder.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { Attempts, type AttemptsParts } from "./attempts.ts";
import { type ClientBody, knownAnswer } from "./body.ts";
import { RequestContext } from "./context.ts";
import { readFormBody } from "./formbody.ts";
import { readJsonBody } from "./jsonbody.ts";
import { atEndpoint, pinOf } from "./pin.ts";
import { type Requirements, routeRequirement } from "./requirements.ts";

export interface PipelineParts extends AttemptsParts {
  pool: UpstreamPool;
  providers: Providers;
  requirements: Requirements;
  recorder: Recorder;
  limits: UsageLimits;
  settings: Settings;
  /** Undefined: there are no traces. */
  tracing: Pick<Tracing, "begin"> | undefined;
}

/**
 * The way of every inference request, whether its body is JSON or a form. A station writes what it
 * finds into the request's context, or throws what the client is told:
 *
 * | station    | what it does                                                     | throws        |
 * |------------|------------------------------------------------------------------|---------------|
 * | admit      | `http/server/door.ts`, before any route: id, host, drain, access | 401, 403, 503 |
 * | read       | the body, and the model and stream that it asks for              | 400, 413, 415 |
 * | resolve    | which model is meant: one of a provider, or one of the pool's    | 401           |
 * | authorise  | whether the key may use that model                               | 403           |
 * | pin        | the endpoint that the client named for it, if it did             | 400, 403, 404 |
 * | limits     | whether its key and user have requests, tokens and money left    | 429           |
 * | capability | whether the model can do it, and what an endpoint must have      | 400           |
 * | media      | images are checked and fetched                                   | 400, 413      |
 * | attempts   | one upstream after the other, until one answers                  | 404 to 504    |
 * | record     | what history is to know, noted until the answer's last byte      |               |
 */
export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** Answers a request of a route. Throws `ApiError` for what is answered by an error. */
  async answer(scope: Scope, route: InferenceRoute): Promise<Response> {
    const context = new RequestContext(scope, route, principalOf(scope));
    context.trace = this.#parts.tracing?.begin(context.client);
    let body: ClientBody | undefined;
    try {
      body = await this.#read(context);
      this.#resolve(context, body);
      requireModelAllowed(context);
      context.pin = pinOf(context, this.#parts.pool);
      this.#admit(context, body);
      const { previousId } = body;
      const previous = previousId === undefined ? undefined : await this.#find(previousId);
      const known = this.#requireCapability(context, body, previous);
      if (known !== undefined) return this.#record(context, body, known);
      if (context.pin !== undefined) {
        context.requirement = atEndpoint(context.pin, context.requirement);
      }
      const prepared = body.prepareMedia();
      if (prepared !== undefined) await prepared;
      return this.#record(context, body, await this.#attempt(context, body));
    } catch (error) {
      await body?.close();
      if (context.record === undefined) this.#parts.recorder.countUnreadable(context, error);
      else context.record.refused(error);
      throw error;
    }
  }

  /** From here on it counts for the limits of its key and user. */
  #admit(context: RequestContext, body: ClientBody): void {
    const estimate = () => estimatePromptTokens(asBuffer(body.recorded));
    context.lease = this.#parts.limits.admit(context.principal, estimate);
    if (context.record !== undefined) context.record.lease = context.lease;
  }

  #read(context: RequestContext): Promise<ClientBody> {
    const { form } = context.route;
    const { settings } = this.#parts;
    return form === undefined
      ? readJsonBody(context, settings)
      : readFormBody(context, form, settings);
  }

  /** From here on the request has a record. */
  #resolve(context: RequestContext, body: ClientBody): void {
    const { pool, providers, recorder } = this.#parts;
    context.model = body.model;
    context.scope.set("model", body.model);
    context.modelId = pool.idOf(body.model);
    context.streams = body.stream ?? context.route.streamsByDefault;
    context.hasImages = body.hasImages;
    context.record = recorder.begin(context, body.recorded);
    context.provider = providers.find(body.model) ?? this.#providerOf(context.modelId);
  }

  /** The provider's model that an alias means (`gpt=openai:gpt-4o`), where no endpoint has it. */
  #providerOf(id: string): ProviderModel | undefined {
    const { pool, providers } = this.#parts;
    return pool.serving(id).length > 0 ? undefined : providers.find(id);
  }

  async #find(response: string): Promise<MadeResponse | undefined> {
    return this.#parts.kept.find(response);
  }

  /** The route's own answer, if it has one and no endpoint that is up has the route. */
  #requireCapability(
    context: RequestContext,
    body: ClientBody,
    previous: MadeResponse | undefined,
  ): Forwarded | undefined {
    if (context.provider !== undefined) return requireBeginning(body);
    const { ownAnswer } = body;
    if (ownAnswer !== undefined && this.#isMissingEverywhere(context)) {
      return knownAnswer(ownAnswer(), context);
    }
    context.requirement = this.#stateRequirement(context, body, previous);
    if (context.requirement !== undefined || context.provider !== undefined) return undefined;
    const own = this.#parts.requirements.of(context);
    context.requirement = body.continues ? finalMessageRequirement(own) : own;
    return undefined;
  }

  /** Who has what was kept of an earlier request, or will keep this one. Throws if nobody may. */
  #stateRequirement(
    context: RequestContext,
    body: ClientBody,
    previous: MadeResponse | undefined,
  ): Requirement<Endpoint> | undefined {
    const { stateRefusal } = body;
    if (stateRefusal === undefined) return undefined;
    const { kept, pool, providers } = this.#parts;
    const serving = pool.serving(context.modelId);
    if (previous !== undefined) {
      const fallback = providers.fallbackOf(context.model);
      if (fallback?.id === previous.upstreamId) {
        context.provider = fallback;
        return undefined;
      }
    }
    const isNew = body.isBackground && body.previousId === undefined;
    const keeper =
      (previous && kept.requirementFor(previous, serving)) ??
      (isNew ? kept.backgroundRequirement(serving) : kept.soleRequirement(serving));
    if (keeper === undefined) throw stateRefusal;
    return keeper;
  }

  #isMissingEverywhere({ route, modelId }: RequestContext): boolean {
    const requirement = routeRequirement(route);
    const { pool } = this.#parts;
    const up = pool.serving(modelId).filter(({ health }) => health.status !== "offline");
    const isThere = up.some((endpoint) => requirement?.isMetBy(endpoint, modelId) ?? true);
    return up.length > 0 && !isThere;
  }

  #attempt(context: RequestContext, body: ClientBody): Promise<Forwarded> {
    const { slots, settings } = this.#parts;
    context.deadlineMs = slots.deadlineIn(settings.firstByteTimeoutMs);
    const usesPrefixes = settings.strategy === "prefix" && context.provider === undefined;
    return new Attempts(this.#parts, context, body).run(
      usesPrefixes ? body.fingerprint() : undefined,
    );
  }

  /** The answer is on its way: its last byte ends the record and frees what the body holds. */
  #record(context: RequestContext, body: ClientBody, { response, sent }: Forwarded): Response {
    context.scope.set("sent", sent);
    context.record?.answered(response.status, sent);
    if (context.route.form !== undefined) closeAfter(body, sent);
    return response;
  }
}

/** Checks that the key may use the model. Throws 403. */
function requireModelAllowed({ principal, model, modelId }: RequestContext): void {
  if (mayUseModel(principal, model, modelId)) return;
  const allowed = principal.key?.models?.join(", ");
  const message = `The request was refused: this key may use ${allowed}, not ${model}.`;
  throw new ApiError("forbidden", message, { code: "model_not_allowed", param: "model" });
}

/** Throws for what goes on with the answer of another balancer's endpoint: no provider does. */
function requireBeginning({ continues }: ClientBody): undefined {
  if (!continues) return undefined;
  throw new ApiError("upstream", "The answer could not be continued: a cloud has the model.");
}

function closeAfter(body: ClientBody, sent: Promise<unknown>): void {
  const close = () => body.close();
  sent.then(close, close);
}
