import { z } from "zod";
import { parseJson } from "../lib/json.ts";
import { ApiError, type ErrorKind } from "../wire/error.ts";
import { fieldInMessage, isClientError, readableMessage } from "./errormessage.ts";

/** llama.cpp's error body: `{error: {message, type, code}}`, code being the HTTP status. */
const LlamaError = z.object({
  error: z.object({
    message: z.string(),
    type: z.string().optional(),
    n_prompt_tokens: z.number().optional(),
    n_ctx: z.number().optional(),
  }),
});

const CODES: Record<string, string> = {
  exceed_context_size_error: "context_length_exceeded",
  not_supported_error: "not_supported",
};

/** A text to embed must fit into one batch. llama.cpp answers 500 to a longer one. */
const TOO_LONG = /input .*is too large to process/;

/** Our error for an engine's error response, with the kind, code and field that it means. */
export function engineError(body: string, status: number): ApiError {
  const parsed = LlamaError.safeParse(parseJson(body));
  const told = parsed.success ? parsed.data.error : undefined;
  const { type, n_prompt_tokens, n_ctx } = told ?? {};
  const text = told?.message ?? `The engine answered with status ${status}`;
  const message = readableMessage(text);
  if (TOO_LONG.test(text)) {
    return new ApiError("invalid_request", message, { code: "context_length_exceeded" });
  }
  const code = CODES[type ?? ""];
  const kind = status === 500 && isClientError(text) ? "invalid_request" : kindOf(status);
  const param = kind === "invalid_request" ? fieldInMessage(text) : undefined;
  return new ApiError(kind, message, {
    ...(code === undefined ? {} : { code }),
    ...(n_ctx === undefined ? {} : { details: { n_prompt_tokens: n_prompt_tokens ?? 0, n_ctx } }),
    ...(param === undefined ? {} : { param }),
  });
}

function kindOf(status: number): ErrorKind {
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 499:
      return "client_closed";
    case 501:
      return "not_implemented";
    case 503:
      return "unavailable";
    default:
      return status < 500 ? "invalid_request" : "internal";
  }
}
