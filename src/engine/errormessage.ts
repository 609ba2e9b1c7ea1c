/** Messages that llama.cpp sends as server errors (500) although the request is wrong. */
const CLIENT_ERRORS = [
  /^Failed to parse (?:messages|tools|tool call arguments)\b/,
  /^'messages' is required/,
  /^"prompt" (?:elements must|must not|is required)/,
  /^"json_schema":/,
  /^Cannot (?:use both json_schema and grammar|specify grammar with tools)/,
  /^Error: (?:'lora'|dry_sequence_breakers)/,
  /^Grammar trigger word/,
  /^(?:Unknown reasoning format|Unsupported param|Only no echo is supported)/,
  /^(?:image|audio|video) input is not supported/,
  /^Multimodal data provided/,
  /^(?:Invalid base64 value|Failed to (?:load|download) image)/,
  /^for mtmd, input prompt must be a string/,
  /\[json\.exception\.(?:type_error|out_of_range)\.\d+\]/,
];

/** Parts that help no reader: marks of its JSON library, and a copy of the request's tools. */
const NOISE = /\[json\.exception\.\w+\.\d+\] |; tools = [\s\S]*$/g;

/** Whether an error that llama.cpp sends as its own (500) is an error of the request. */
export function isClientError(message: string): boolean {
  return CLIENT_ERRORS.some((pattern) => pattern.test(message));
}

/** The request's field that llama.cpp's message names; undefined if it names none. */
export function fieldInMessage(message: string): string | undefined {
  const [, field, parsed] =
    /^Field '([^']+)'|^Failed to parse (messages|tools)\b/.exec(message) ?? [];
  return field ?? parsed;
}

/** llama.cpp's messages that say too little, or speak to whoever runs llama-server. */
const WORDS: [pattern: RegExp, words: string][] = [
  [
    /^unsupported content\[\]\.type$/,
    "The messages have content that this model's engine cannot read. It takes texts, pictures and \
recordings: send files as text.",
  ],
  [
    /^Failed to load image or audio file/,
    "A picture or recording of the messages cannot be read: it must be the base64 of a PNG, JPEG, \
GIF or BMP file, or of a WAV or MP3 file, best as a data: URL.",
  ],
  [/^file:\/\/ URLs are not allowed/, "Files of this machine are not read: send data: URLs."],
  [/^Invalid uri format: /, "A data: URL must have a type and base64: data:image/png;base64,…"],
];

/** llama.cpp's message in words that users of an API understand. */
export function readableMessage(message: string): string {
  const found = WORDS.find(([pattern]) => pattern.test(message));
  return found?.[1] ?? message.replace(NOISE, "");
}
