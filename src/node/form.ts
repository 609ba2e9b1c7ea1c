import { readBytes } from "../http/server/body.ts";
import type { AppContext } from "../http/server/scope.ts";
import { ApiError } from "../wire/error.ts";

/** A multipart form as it came, and the model that its field `model` names. */
export interface ModelForm {
  bytes: Uint8Array<ArrayBuffer>;
  model: string;
  /** Its fields that are texts. */
  texts: Record<string, string>;
}

/**
 * Reads a multipart form of at most `limitBytes`. Throws 415 for another content type, 413 for too
 * many bytes, 400 for a malformed form and for one without `model`.
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
  if (typeof model === "string" && model !== "") return { bytes, model, texts: textsOf(form) };
  const message = "The request is invalid: the form field `model` is required.";
  throw new ApiError("invalid_request", message, { param: "model" });
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
