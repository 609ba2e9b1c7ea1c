import { ModelRewrite } from "../../http/proxy/rewrite/model.ts";
import type { App } from "../../http/server/app.ts";
import type { Scope } from "../../http/server/fastpath.ts";
import { type Form, readForm } from "../../http/server/form.ts";
import { withoutIdleLimit } from "../../http/server/listen.ts";
import { IMAGE_MODEL_DEFAULT } from "../../wire/media.ts";
import { FORM_PATHS, type FormPath, formRules } from "../media/formrules.ts";
import type { RequestRecord } from "../record/record.ts";
import { capabilityOf } from "../upstream/capability.ts";
import type { Call } from "./call.ts";
import { needOfRoute } from "./needs.ts";
import { addressOf } from "./principal.ts";
import { queryOf } from "./query.ts";
import type { InferenceOptions } from "./routes.ts";
import type { Question } from "./sender.ts";

/** What history and statistics call their requests. */
const TYPES: Record<FormPath, string> = {
  "/v1/audio/transcriptions": "transcription",
  "/v1/audio/translations": "translation",
  "/v1/images/edits": "imageedit",
  "/v1/images/variations": "imagevariation",
};

/**
 * The inference routes whose bodies are forms: audio to be written down, images to be changed. A
 * form goes on as soon as its model is known, as it comes in; it can be tried elsewhere as long as
 * all of it is kept.
 */
export function routeForms(app: App, options: InferenceOptions): void {
  const { pool, recorder, sender, needs, settings } = options;

  for (const path of FORM_PATHS) {
    const routeNeed = needOfRoute(path);
    const rules = formRules(path);
    const limitBytes = Math.min(rules.limitBytes, settings.bodyLimitBytes);

    app.post(path, async (c) => {
      let record: RequestRecord | undefined;
      let form: Form | undefined;
      try {
        withoutIdleLimit(c);
        form = await readForm(c.req.raw, { limitBytes, enough: rules.enough });
        const model = form.field("model")?.value || IMAGE_MODEL_DEFAULT;
        const id = pool.idOf(model);
        const streams = form.field("stream")?.value === "true";
        const address = addressOf(c);
        const { headers } = c.req.raw;
        record = recorder.begin({
          ...{ requestId: c.get("requestId"), type: TYPES[path], writes: "other", model: id },
          ...{ streams, address, headers, body: noted(form) },
        });
        const ability = capabilityOf(path, false);
        const need = () => needs.of({ model, id, ability, routeNeed });
        const question = new FormQuestion({ c, path, form, model, id, need });
        const asking = { c, path, model, id, streams, address, record };
        const { response, sent } = await sender.send(asking, question, sender.cloudOf(model));
        closeAfter(form, sent);
        c.set("sent", sent);
        record.answered(response.status, sent);
        return response;
      } catch (error) {
        await form?.close();
        if (record === undefined) recorder.unread(error);
        else record.refused(error);
        throw error;
      }
    });
  }
}

interface FormQuestionOptions {
  c: Scope;
  path: FormPath;
  form: Form;
  model: string;
  id: string;
  need: Question["need"];
}

class FormQuestion implements Question {
  readonly #options: FormQuestionOptions;
  readonly fingerprint = undefined;
  readonly need: Question["need"];

  constructor(options: FormQuestionOptions) {
    this.#options = options;
    this.need = options.need;
  }

  get sendable(): boolean {
    return this.#options.form.sendable;
  }

  callTo({ served }: Parameters<Question["callTo"]>[0]): Call {
    const { id, model } = this.#options;
    return this.#call(served.get(id) ?? model);
  }

  callToCloud(cloud: Parameters<Question["callToCloud"]>[0]): Call {
    // Only clouds that take forms as they are have these routes.
    cloud.via(this.#options.path);
    return this.#call(cloud.model);
  }

  #call(name: string): Call {
    const { c, path, form, model } = this.#options;
    const isSame = form.field("model")?.value === name;
    return {
      pathAndQuery: path + queryOf(c.req.url),
      body: form.body(isSame ? undefined : name),
      rewrite: name === model ? undefined : new ModelRewrite(model),
    };
  }
}

/** What the history keeps of a form: its fields, and which files came with it. */
function noted({ fields, files }: Form): Uint8Array {
  const values = fields.map(({ name, value }) => [name, value] as const);
  const names = files.map(({ field, filename }) => [field, `<file ${filename}>`] as const);
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries([...values, ...names])));
}

function closeAfter(form: Form, sent: Promise<unknown>): void {
  const close = () => form.close();
  sent.then(close, close);
}
