import { z } from "zod";

/**
 * What the balancer reads of requests that make speech or images. Refused is what no server could
 * take; voices, sizes and qualities that only some know are the endpoint's business. Other fields
 * pass.
 * Source: https://platform.openai.com/docs/api-reference/audio and …/images
 */

const INPUT_CHARS_MAX = 4096;
const NAME_CHARS_MAX = 256;

/** What speech can be written as, over all servers that are known. */
const SPEECH_FORMATS = [
  ...(["mp3", "wav", "flac", "ogg", "opus", "aac", "pcm", "m4a", "webm"] as const),
] as const;

/** How a transcription can be written. */
export const TRANSCRIPT_FORMATS = [
  ...(["json", "text", "srt", "vtt", "verbose_json", "diarized_json"] as const),
] as const;

/** How an image is given back. */
export const IMAGE_FORMATS = ["url", "b64_json"] as const;

/** Images of one request. */
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

/** `1024x1024`, or `auto`. */
export const SIZE = /^(?:auto|[1-9]\d{0,4}x[1-9]\d{0,4})$/;

const ImageCount = `\`n\` must be a whole number from 1 to ${IMAGES_PER_REQUEST_MAX}`;

/** Beyond these words nothing in between is a speed. */
const Speed = "`speed` must be a number from 0.25 to 4.0";

/** The body of `POST /v1/audio/speech`. */
export const SpeechRequest = z.looseObject({
  model: Model,
  input: z
    .string({ error: "`input` is required and must be a text" })
    .refine((input) => input.trim() !== "", { error: "`input` must not be empty" })
    .refine((input) => [...input].length <= INPUT_CHARS_MAX, {
      error: `\`input\` must have at most ${INPUT_CHARS_MAX} characters`,
    }),
  /** A name; some servers take an object of their own. */
  voice: z.union([text("voice"), z.looseObject({})]).nullish(),
  response_format: oneOf("response_format", SPEECH_FORMATS).nullish(),
  speed: z.number({ error: Speed }).min(0.25, { error: Speed }).max(4, { error: Speed }).nullish(),
  stream_format: z.string({ error: "`stream_format` must be a text" }).nullish(),
});
export type SpeechRequest = z.infer<typeof SpeechRequest>;

/** The body of `POST /v1/images/generations`. */
export const ImageRequest = z.looseObject({
  /** The balancer knows a default. */
  model: Model.nullish(),
  prompt: z
    .string({ error: "`prompt` is required and must be a text" })
    .refine((prompt) => prompt.trim() !== "", { error: "`prompt` must not be empty" }),
  n: z
    .int({ error: ImageCount })
    .min(1, { error: ImageCount })
    .max(IMAGES_PER_REQUEST_MAX, { error: ImageCount })
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

/** The model of requests for images that name none. */
export const IMAGE_MODEL_DEFAULT = "stable-diffusion-xl";
