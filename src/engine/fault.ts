/** What llama.cpp says, as an error of the server, of requests that only their sender can mend. */
const CLIENT_FAULTS = [
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

/** What tells people nothing: the marks of its JSON library, and the request's own tools again. */
const NOISE = /\[json\.exception\.\w+\.\d+\] |; tools = [\s\S]*$/g;

/** Whether an error that llama.cpp takes for its own is the fault of the request. */
export function isClientFault(message: string): boolean {
  return CLIENT_FAULTS.some((pattern) => pattern.test(message));
}

/** The request's field that a message of llama.cpp names. */
export function faultyField(message: string): string | undefined {
  const [, field, parsed] =
    /^Field '([^']+)'|^Failed to parse (messages|tools)\b/.exec(message) ?? [];
  return field ?? parsed;
}

/** Parts of messages that it does not know: PDFs, say. It names no type, and not where it was. */
const UNKNOWN_PART = "unsupported content[].type";

/** The message without what only its programmers understand. */
export function readable(message: string): string {
  if (message !== UNKNOWN_PART) return message.replace(NOISE, "");
  return "The messages have content that this model's engine cannot read. It takes texts, pictures \
and recordings: send files as text.";
}
