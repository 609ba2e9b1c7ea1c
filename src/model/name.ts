import { ApiError } from "../wire/error.ts";
import { isSafePath } from "../wire/manifest.ts";
import { isQuantizationName } from "./quantization.ts";

/** The beginning of the ids of models that come from the hub. */
export const HUB_PREFIX = "hf/";

/** The id of a repository on the hub (`org/name`), or of one of its files. */
export function hubModelId(repo: string, filename: string | null): string {
  return HUB_PREFIX + (filename === null ? repo : `${repo}/${filename}`);
}

/** What a request names: a model, and perhaps which of its quantizations. */
export interface ModelName {
  id: string;
  /** What follows the colon in `org/name:Q4_K_M`. */
  quantization?: string;
}

/** `hf/org/name` and a file's name of 255 bytes, perhaps in folders. */
const ID_CHARS_MAX = 600;
const SEGMENTS_MAX = 8;
const SEGMENT_BYTES_MAX = 255;
/** Names that Windows gives to devices, in any folder and with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Splits a name into id and quantization. Throws 400 `invalid_model_id` for an id that cannot be a
 * folder of its own: nothing is replaced in it, so that no two models share a folder by accident.
 */
export function parseModelName(text: string): ModelName {
  const [id = "", quantization, ...more] = text.split(":");
  if (more.length > 0) throw invalid(text, "it has more than one colon");
  if (quantization !== undefined && !isQuantizationName(quantization)) {
    throw invalid(text, "what follows the colon is no quantization, such as Q4_K_M");
  }
  checkId(id, text);
  return quantization === undefined ? { id } : { id, quantization };
}

/** A model's name with what follows its colon in capitals: names are compared in this form. */
export function capitalizeQuantization(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(0, colon) + name.slice(colon).toUpperCase();
}

/**
 * The folder of a model below the models folder, with forward slashes. An id that ends in a file's
 * name (`hf/org/repo/x.gguf`) loses that ending: the file may lie in the folder above. Throws 400
 * `invalid_model_id`.
 */
export function directoryOf(id: string): string {
  checkId(id, id);
  return id.toLowerCase().replace(/\.gguf$/, "");
}

/** Whether a text can be the id of a model. */
export function isModelId(text: string): boolean {
  try {
    checkId(text, text);
    return true;
  } catch {
    return false;
  }
}

function checkId(id: string, text: string): void {
  if (id === "") throw invalid(text, "it is empty");
  if (id.length > ID_CHARS_MAX) throw invalid(text, `it is longer than ${ID_CHARS_MAX} characters`);
  const segments = id.split("/");
  if (segments.length > SEGMENTS_MAX) throw invalid(text, `it has over ${SEGMENTS_MAX} parts`);
  for (const segment of segments) {
    if (segment === "") throw invalid(text, "it begins or ends with a slash, or has two in a row");
    if (DEVICE.test(segment)) throw invalid(text, `${segment} is the name of a device`);
    const isLong = Buffer.byteLength(segment) > SEGMENT_BYTES_MAX;
    if (isLong) throw invalid(text, `a part is longer than ${SEGMENT_BYTES_MAX} bytes`);
    if (segment.startsWith(" ") || !isSafePath(segment)) {
      throw invalid(
        text,
        'parts must be names that every system takes: without \\ : * ? " < > | and control \
characters, and with no dot or blank at their beginning or end',
      );
    }
  }
}

function invalid(text: string, why: string): ApiError {
  const message = `The model's name ${JSON.stringify(text.slice(0, 100))} is invalid: ${why}.`;
  return new ApiError("invalid_request", message, { code: "invalid_model_id", param: "model" });
}
