import { ApiError } from "../wire/error.ts";

/** What a request names: a model, and perhaps which of its quantizations. */
export interface ModelName {
  id: string;
  /** What follows the colon in `org/name:Q4_K_M`. */
  quantization?: string;
}

const ID_CHARS_MAX = 256;
const SEGMENTS_MAX = 8;
const SEGMENT = /^[A-Za-z0-9_-]+(?:\.+[A-Za-z0-9_-]+)*$/;
const QUANTIZATION = /^[A-Za-z0-9_.-]{1,64}$/;
/** Names that Windows gives to devices, in any folder and with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Takes a name apart. Throws 400 `invalid_model_id` for what could not be a folder of its own:
 * nothing is folded, so that two models never share one by accident.
 */
export function parseModelName(text: string): ModelName {
  const [id = "", quantization, ...more] = text.split(":");
  if (more.length > 0) throw invalid(text, "it has more than one colon");
  if (quantization !== undefined && !QUANTIZATION.test(quantization)) {
    throw invalid(text, "what follows the colon is no quantization, such as Q4_K_M");
  }
  checkId(id, text);
  return quantization === undefined ? { id } : { id, quantization };
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

function checkId(id: string, text: string): void {
  if (id === "") throw invalid(text, "it is empty");
  if (id.length > ID_CHARS_MAX) throw invalid(text, `it is longer than ${ID_CHARS_MAX} characters`);
  const segments = id.split("/");
  if (segments.length > SEGMENTS_MAX) throw invalid(text, `it has over ${SEGMENTS_MAX} parts`);
  for (const segment of segments) {
    if (segment === "") throw invalid(text, "it begins or ends with a slash, or has two in a row");
    if (DEVICE.test(segment)) throw invalid(text, `${segment} is the name of a device`);
    if (/^\.gguf$/i.test(segment) || !SEGMENT.test(segment)) {
      throw invalid(
        text,
        "only letters, digits, - and _ are allowed, dots between them, and slashes between parts",
      );
    }
  }
}

function invalid(text: string, why: string): ApiError {
  const message = `The model's name ${JSON.stringify(text.slice(0, 100))} is invalid: ${why}.`;
  return new ApiError("invalid_request", message, { code: "invalid_model_id", param: "model" });
}
