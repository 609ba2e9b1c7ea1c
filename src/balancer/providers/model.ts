import type { ForwardTarget } from "../../http/proxy/forward.ts";
import { ApiError } from "../../wire/error.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import type { RouteSupport, Upstream } from "../upstream/upstream.ts";
import type { Provider } from "./provider.ts";

/** A provider's model, as a client asked for it. */
export class ProviderModel implements Upstream {
  readonly provider: Provider;
  /** The provider's name of it, without the prefix. */
  readonly model: string;
  readonly usageSupport = "left_alone";
  readonly ignoresStamps = false;
  readonly loadsByChat = false;

  constructor(provider: Provider, model: string) {
    this.provider = provider;
    this.model = model;
  }

  get id(): string {
    return this.provider.id;
  }

  get name(): string {
    return this.provider.shownName;
  }

  get url(): string {
    return this.provider.url;
  }

  get telemetryName(): string {
    return this.provider.telemetryName;
  }

  get wantsSignatures(): boolean {
    return this.provider.api.wantsSignatures === true;
  }

  /** It goes on with a last message of the assistant's. */
  get takesPrefill(): boolean {
    return this.provider.api.takesPrefill?.(this.model) === true;
  }

  get fetchesImages(): boolean {
    return this.provider.api.fetchesImages;
  }

  /** As clients call it. */
  get priceName(): string {
    return `${this.provider.name}:${this.model}`;
  }

  modelName(): string {
    return this.model;
  }

  supportOf(route: InferenceRoute): RouteSupport {
    const { name, api, lacks } = this.provider;
    const support = (lacks.has(route.name) ? api.otherwise : api.routes)?.[route.name];
    if (support !== undefined) return support;
    const message = `The model "${name}:${this.model}" cannot ${route.verb}: ${name} has nothing \
for it that requests can be put to. Choose another model.`;
    const code = "model_capability_mismatch";
    throw new ApiError("invalid_request", message, { code, param: "model" });
  }

  /** It answered that it lacks the route: true if it is asked otherwise from now on. */
  lack(route: InferenceRoute): boolean {
    const { api, lacks } = this.provider;
    if (lacks.has(route.name) || api.otherwise?.[route.name] === undefined) return false;
    lacks.add(route.name);
    return true;
  }

  /** It was not the route that it lacked. */
  haveAgain(route: InferenceRoute): void {
    this.provider.lacks.delete(route.name);
  }

  target(path: string): ForwardTarget & { headers: Record<string, string> } {
    return this.provider.target(path);
  }
}
