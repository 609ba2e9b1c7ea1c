import { asBuffer } from "../../lib/buffer.ts";
import { parseExactObject } from "../../lib/json.ts";
import { overRoute } from "../../translation/overroute.ts";
import type { Translation } from "../../translation/translation.ts";
import type { UpstreamRequest } from "../inference/body.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { StreamFormat } from "./streamformat.ts";
import { isFields } from "./transcript.ts";

/** What an upstream was asked for a stream, and which upstream it was. */
export interface FirstRequest {
  request: UpstreamRequest;
  upstream: Endpoint;
  format: StreamFormat;
}

/** What was asked for in terms of (chat) completions; undefined where that cannot say it. */
export function chatRequestOf(first: FirstRequest): Record<string, unknown> | undefined {
  const { format, request } = first;
  const given = bodyOf(request);
  if (format === "chat" || format === "generate") return given;
  const chat = translationOf(first)?.body;
  const budget = isFields(given?.thinking) ? given.thinking.budget_tokens : undefined;
  return budget === undefined ? chat : { thinking_budget_tokens: budget, ...chat };
}

/** The translation to chat completions that the first upstream did not need. */
export function translationOf({ format, request }: FirstRequest): Translation | undefined {
  if (format === "chat" || format === "generate") return undefined;
  const given = bodyOf(request);
  try {
    return given === undefined ? undefined : overRoute[format]?.(given);
  } catch {
    return undefined; // It asks for what chat completions cannot say.
  }
}

/** What was asked for, as JSON; undefined where it was none. */
function bodyOf({ body }: UpstreamRequest): Record<string, unknown> | undefined {
  if (!(body instanceof Uint8Array)) return undefined;
  return parseExactObject(asBuffer(body).toString("utf8"));
}
