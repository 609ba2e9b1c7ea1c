import type { Settings } from "../../config/settings.ts";
import { ModelRewrite } from "../../http/proxy/rewrite/model.ts";
import { takeMemory } from "../../http/server/body.ts";
import { type Form, readForm } from "../../http/server/form.ts";
import { withoutIdleLimit } from "../../http/server/listen.ts";
import { IMAGE_MODEL_DEFAULT } from "../../wire/media.ts";
import type { FormKind } from "../../wire/route.ts";
import { formRules } from "../media/formrules.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ClientBody, UpstreamRequest } from "./body.ts";
import type { RequestContext } from "./context.ts";

/**
 * Reads as much of a form as is needed to send it on: audio to be written down goes on as it comes
 * in, images to be changed are looked at first. Throws 400, 413, 415.
 */
export async function readFormBody(
  context: RequestContext,
  kind: FormKind,
  { bodyLimitBytes }: Settings,
): Promise<FormBody> {
  withoutIdleLimit(context.scope);
  const { limitBytes, isEnough } = formRules(kind);
  const limits = { limitBytes: Math.min(limitBytes, bodyLimitBytes), isEnough };
  const declared = context.headers.get("content-length");
  // What is too large is refused by the form itself.
  const bytes = declared === null ? limits.limitBytes : Number(declared);
  await takeMemory(context.scope, Math.min(bytes, limits.limitBytes));
  return new FormBody(context, await readForm(context.client, limits));
}

/** A form, which can be sent to another upstream as long as all of it is kept. */
class FormBody implements ClientBody {
  readonly hasImages = false;
  readonly ownAnswer = undefined;
  readonly model: string;
  readonly #context: RequestContext;
  readonly #form: Form;

  constructor(context: RequestContext, form: Form) {
    this.#context = context;
    this.#form = form;
    this.model = form.field("model")?.value || IMAGE_MODEL_DEFAULT;
  }

  get stream(): boolean {
    return this.#form.field("stream")?.value === "true";
  }

  /** Its fields, and which files came with it. */
  get recorded(): Uint8Array {
    const { fields, files } = this.#form;
    const values = fields.map(({ name, value }) => [name, value] as const);
    const names = files.map(({ field, filename }) => [field, `<file ${filename}>`] as const);
    return new TextEncoder().encode(JSON.stringify(Object.fromEntries([...values, ...names])));
  }

  get isSendable(): boolean {
    return this.#form.sendable;
  }

  fingerprint(): undefined {
    return undefined;
  }

  prepareMedia(): undefined {
    return undefined;
  }

  requestFor(upstream: Upstream): UpstreamRequest {
    const { route, model, modelId, pathAndQuery } = this.#context;
    // Upstreams that have such a route take forms as they are.
    upstream.supportOf(route);
    const name = upstream.modelName(modelId, model);
    const isSame = this.#form.field("model")?.value === name;
    return {
      pathAndQuery,
      body: this.#form.body(isSame ? undefined : name),
      rewrite: name === model ? undefined : new ModelRewrite(model),
    };
  }

  get previousId(): undefined {
    return undefined;
  }

  get continues(): false {
    return false;
  }

  get isBackground(): false {
    return false;
  }

  get stateRefusal(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return this.#form.close();
  }
}
