import { readBytes } from "../http/server/body.ts";
import type { AppContext } from "../http/server/scope.ts";
import { ApiError } from "../wire/error.ts";

/** A multipart form as it came, and the model that its field `model` names, if it does. */
export interface ModelForm {
  bytes: Uint8Array<ArrayBuffer>;
  /** Undefined if it names none. */
  model: string | undefined;
  /** Its fields that are texts. */
  texts: Record<string, string>;
}

/**
 * Reads a multipart form of at most `limitBytes`. Throws 415 for another content type, 413 for too
 * many bytes, 400 for a malformed form, one without `file`, and for a `model` that is no name.
 */
export async function readModelForm(c: AppContext, limitBytes: number): Promise<ModelForm> {
  const type = c.req.header("content-type") ?? "";
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    const message = "This route needs a form with the audio file: send multipart/form-data.";
    throw new ApiError("unsupported_media_type", message);
  }
  const bytes = await readBytes(c, limitBytes);
  const form = await parseForm(bytes, type);
  const model = form.get("model");
  if (model !== null && (typeof model !== "string" || model === "")) {
    throw wrongField("model", "must be a model's name");
  }
  if (form.get("file") === null) throw wrongField("file", "is required: the recording");
  return { bytes, model: model ?? undefined, texts: textsOf(form) };
}

function wrongField(param: string, reason: string): ApiError {
  const message = `The request is invalid: the form field \`${param}\` ${reason}.`;
  return new ApiError("invalid_request", message, { param });
}

function textsOf(form: FormData): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of form) if (typeof value === "string") texts[name] = value;
  return texts;
}

async function parseForm(bytes: Uint8Array<ArrayBuffer>, type: string) {
  try {
    return await new Response(bytes, { headers: { "content-type": type } }).formData();
  } catch (cause) {
    const message = "The request body could not be read: it is not a complete multipart form.";
    throw new ApiError("invalid_request", message, { code: "invalid_form", cause });
  }
}
