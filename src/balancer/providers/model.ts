import type { ForwardTarget } from "../../http/proxy/forward.ts";
import type { Translation } from "../../translation/translation.ts";
import { cannot, speechOf } from "./adapters.ts";
import type { Provider } from "./provider.ts";

/** A model of a cloud, as a client asked for it. */
export class ProviderModel {
  readonly provider: Provider;
  /** The provider's name of it, without the prefix. */
  readonly model: string;

  constructor(provider: Provider, model: string) {
    this.provider = provider;
    this.model = model;
  }

  /** `openai:gpt-4o`. */
  get id(): string {
    return `${this.provider.name}:${this.model}`;
  }

  /** Whether it answers requests for one of our paths, translated or not. */
  canAnswer(path: string): boolean {
    return speechOf(this.provider, path) !== undefined;
  }

  /**
   * How a client's request for one of our paths is put to the cloud; undefined where it is sent as
   * it is, with `model` in place of the client's. A translation's body is complete and names the
   * model where the cloud wants it: nothing is to be added. Throws `invalid_request`
   * (`model_capability_mismatch`) for a path that the cloud does not answer.
   */
  via(path: string): ((request: unknown) => Translation) | undefined {
    const speech = speechOf(this.provider, path);
    if (speech === undefined) throw cannot(this.id, this.provider.name, path);
    return speech === "native" ? undefined : (request) => speech(request, this.model);
  }

  /** Where to send it, with the provider's own key: `path` is ours or the translation's. */
  target(path: string): ForwardTarget & { headers: Record<string, string> } {
    return this.provider.target(path);
  }
}
