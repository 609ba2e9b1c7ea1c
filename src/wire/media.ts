import { z } from "zod";

/**
 * Requests that make speech or images. What no server could take is refused; voices, sizes and
 * qualities that only some servers know are left to the upstream. Unknown fields are kept.
 * Source: https://platform.openai.com/docs/api-reference/audio and …/images
 */

const INPUT_CHARS_MAX = 4096;
const NAME_CHARS_MAX = 256;

/** The audio formats of speech, of all servers that are known. */
const SPEECH_FORMATS = [
  ...(["mp3", "wav", "flac", "ogg", "opus", "aac", "pcm", "m4a", "webm"] as const),
] as const;

/** The formats of a transcription. */
export const TRANSCRIPT_FORMATS = [
  ...(["json", "text", "srt", "vtt", "verbose_json", "diarized_json"] as const),
] as const;

/** The forms in which an image is returned. */
export const IMAGE_FORMATS = ["url", "b64_json"] as const;

/** The most images of one request. */
export const IMAGES_PER_REQUEST_MAX = 10;

const Model = z
  .string({ error: "`model` is required and must be a string" })
  .min(1, { error: "`model` must not be empty" });

const text = (name: string) =>
  z
    .string({ error: `\`${name}\` must be a text` })
    .min(1, { error: `\`${name}\` must not be empty` })
    .max(NAME_CHARS_MAX, { error: `\`${name}\` is too long` });

const oneOf = <const T extends readonly string[]>(name: string, values: T) =>
  z.enum(values, { error: `\`${name}\` must be one of ${values.join(", ")}` });

/** The size of an image: `1024x1024`, or `auto`. */
export const SIZE = /^(?:auto|[1-9]\d{0,4}x[1-9]\d{0,4})$/;

const COUNT_ERROR = `\`n\` must be a whole number from 1 to ${IMAGES_PER_REQUEST_MAX}`;

const SPEED_ERROR = "`speed` must be a number from 0.25 to 4.0";

/** The body of `POST /v1/audio/speech`. */
export const SpeechRequest = z.looseObject({
  model: Model,
  input: z
    .string({ error: "`input` is required and must be a text" })
    .refine((input) => input.trim() !== "", { error: "`input` must not be empty" })
    .refine((input) => [...input].length <= INPUT_CHARS_MAX, {
      error: `\`input\` must have at most ${INPUT_CHARS_MAX} characters`,
    }),
  /** A name; some servers take an object. */
  voice: z.union([text("voice"), z.looseObject({})]).nullish(),
  response_format: oneOf("response_format", SPEECH_FORMATS).nullish(),
  speed: z
    .number({ error: SPEED_ERROR })
    .min(0.25, { error: SPEED_ERROR })
    .max(4, { error: SPEED_ERROR })
    .nullish(),
  stream_format: z.string({ error: "`stream_format` must be a text" }).nullish(),
});
export type SpeechRequest = z.infer<typeof SpeechRequest>;

/** The body of `POST /v1/images/generations`. */
export const ImageRequest = z.looseObject({
  /** Default: `IMAGE_MODEL_DEFAULT`. */
  model: Model.nullish(),
  prompt: z
    .string({ error: "`prompt` is required and must be a text" })
    .refine((prompt) => prompt.trim() !== "", { error: "`prompt` must not be empty" }),
  n: z
    .int({ error: COUNT_ERROR })
    .min(1, { error: COUNT_ERROR })
    .max(IMAGES_PER_REQUEST_MAX, { error: COUNT_ERROR })
    .nullish(),
  size: z
    .string({ error: "`size` must be a text" })
    .regex(SIZE, { error: "`size` must be like 1024x1024, or auto" })
    .nullish(),
  quality: text("quality").nullish(),
  style: text("style").nullish(),
  response_format: oneOf("response_format", IMAGE_FORMATS).nullish(),
  stream: z.boolean({ error: "`stream` must be true or false" }).nullish(),
});
export type ImageRequest = z.infer<typeof ImageRequest>;

/** The model of requests for images that do not name one. */
export const IMAGE_MODEL_DEFAULT = "stable-diffusion-xl";
