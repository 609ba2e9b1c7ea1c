import type { PartialForm } from "../../http/server/form.ts";
import type { FormFile } from "../../http/server/multipart.ts";
import { inspectImage } from "../../lib/image/imageinfo.ts";
import { ApiError } from "../../wire/error.ts";
import {
  IMAGE_FORMATS,
  IMAGES_PER_REQUEST_MAX,
  SIZE,
  TRANSCRIPT_FORMATS,
} from "../../wire/media.ts";
import type { FormKind } from "../../wire/route.ts";
import { AUDIO_NAMES, isAudio } from "./audio.ts";

/** Largest audio file. */
const AUDIO_BYTES_MAX = 25 * 1024 * 1024;

/** Largest image of an edit or a variation. */
const EDIT_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes of fields and boundaries around the files; prompts for images may be long. */
const AROUND_AUDIO_BYTES_MAX = 256 * 1024;
const AROUND_IMAGES_BYTES_MAX = 2 * 1024 * 1024;

/** The limits of a form, and what it must have. */
export interface FormRules {
  /** Largest body. */
  limitBytes: number;
  /**
   * Checks the part of a form that has arrived; true if the form can be sent on. Throws 400 (413
   * for audio that is too large) for an invalid part, and for a missing one after the form's end.
   */
  isEnough(form: PartialForm): boolean;
}

/** Files of one image edit. */
const EDIT_FILES_MAX = 16;

/** The rules of a kind of form. */
export function formRules(kind: FormKind): FormRules {
  switch (kind) {
    case "audio":
      return { limitBytes: AUDIO_BYTES_MAX + AROUND_AUDIO_BYTES_MAX, isEnough: checkAudioForm };
    case "image_edit":
      return imageRules(true);
    case "image_variation":
      return imageRules(false);
  }
}

/** Audio may be long: when model and file have begun, the rest is sent on as it arrives. */
function checkAudioForm(form: PartialForm): boolean {
  requireSingle(form, "model");
  const file = form.files.find(({ field }) => field === "file");
  if (file !== undefined) checkAudio(file);
  const format = form.field("response_format")?.value;
  if (format !== undefined) oneOf("response_format", format, TRANSCRIPT_FORMATS);
  if (form.ended) {
    if (file === undefined) throw missing("file");
    requireText(form, "model");
    return true;
  }
  const isKnown = file !== undefined && isAudio(file.head, file.filename, file.whole) === true;
  return isKnown && (form.field("model")?.value ?? "").trim() !== "";
}

function checkAudio({ bytes, filename, head, whole }: FormFile): void {
  if (bytes > AUDIO_BYTES_MAX) {
    const message = `The audio file is too large: at most ${AUDIO_BYTES_MAX} bytes are accepted. \
Send it in parts.`;
    throw new ApiError("body_too_large", message, { param: "file" });
  }
  if (whole && bytes === 0) throw invalid("The field `file` is empty", "file");
  if (isAudio(head, filename, whole) !== false) return;
  const message = `Unsupported audio format: ${JSON.stringify(filename.slice(0, 100))} is none of \
those that are known. Send ${AUDIO_NAMES}.`;
  const code = "unsupported_format";
  throw new ApiError("invalid_request", message, { code, param: "file" });
}

/** Images are small: all of them are checked before the form is sent on. */
function imageRules(isEdit: boolean): FormRules {
  const files = isEdit ? EDIT_FILES_MAX + 1 : 1;
  return {
    limitBytes: files * EDIT_BYTES_MAX + AROUND_IMAGES_BYTES_MAX,
    isEnough: (form) => {
      requireSingle(form, "model");
      for (const file of form.files) checkImage(file);
      if (!form.ended) return false;
      if (!form.files.some(({ field }) => /^image(?:\[\d*\])?$/.test(field)))
        throw missing("image");
      if (isEdit) requireText(form, "prompt");
      checkCount(form.field("n")?.value);
      const size = form.field("size")?.value;
      if (size !== undefined && !SIZE.test(size)) {
        throw invalid("`size` must be like 1024x1024, or auto", "size");
      }
      const format = form.field("response_format")?.value;
      if (format !== undefined) oneOf("response_format", format, IMAGE_FORMATS);
      return true;
    },
  };
}

function checkImage({ field, bytes, head, whole }: FormFile): void {
  if (bytes > EDIT_BYTES_MAX) {
    const message = "Image file exceeds maximum size of 4MB. Send a smaller one.";
    throw new ApiError("invalid_request", message, { code: "image_too_large", param: field });
  }
  if (!whole || inspectImage(head).kind !== "unknown") return;
  const message = `Unsupported image format: the file in \`${field}\` is none of those that are \
known. Send PNG, JPEG or WebP.`;
  const code = "unsupported_format";
  throw new ApiError("invalid_request", message, { code, param: field });
}

function checkCount(n: string | undefined): void {
  if (n === undefined) return;
  const count = /^\d{1,3}$/.test(n) ? Number(n) : 0;
  if (count >= 1 && count <= IMAGES_PER_REQUEST_MAX) return;
  throw invalid(`\`n\` must be a whole number from 1 to ${IMAGES_PER_REQUEST_MAX}`, "n");
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (values.includes(value)) return;
  throw invalid(`\`${name}\` must be one of ${values.join(", ")}`, name);
}

/** Refuses a field that stands twice: the upstream might read the other one. */
function requireSingle(form: PartialForm, name: string): void {
  if (form.fields.filter((field) => field.name === name).length < 2) return;
  const message = `The field \`${name}\` is given twice: send it once.`;
  throw new ApiError("invalid_request", message, { code: "duplicate_key", param: name });
}

function requireText(form: PartialForm, name: string): void {
  const value = form.field(name)?.value;
  if (value === undefined) throw missing(name);
  if (value.trim() === "") throw invalid(`The field \`${name}\` is empty`, name);
}

function missing(name: string): ApiError {
  const message = `Missing required field: ${name}.`;
  return new ApiError("invalid_request", message, { param: name });
}

function invalid(what: string, param: string): ApiError {
  return new ApiError("invalid_request", `The request is invalid: ${what}.`, { param });
}
