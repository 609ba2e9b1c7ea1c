import { z } from "zod";

/** How a request ended: all of an answer that is no error was sent, or not. */
export const REQUEST_STATUSES = ["success", "error"] as const;

/** One request of the history, in the API's answers. Times are RFC 3339. */
export const RequestView = z.object({
  id: z.string(),
  /** The `x-request-id` of its answer; clients may choose it, so it may occur twice. */
  request_id: z.string(),
  /** What it was for: `chat`, `embeddings`, `responses`, `anthropic_messages` … */
  request_type: z.string(),
  model: z.string(),
  /** The endpoint or provider of the last attempt; null if none was reached. */
  endpoint_id: z.string().nullable(),
  endpoint_name: z.string().nullable(),
  api_key_id: z.string().nullable(),
  api_key_name: z.string().nullable(),
  user_id: z.string().nullable(),
  user_name: z.string().nullable(),
  client_ip: z.string().nullable(),
  /** The program that sent it, by its `User-Agent`. */
  client: z.string().nullable(),
  started_at: z.string(),
  completed_at: z.string(),
  status: z.enum(REQUEST_STATUSES),
  /** The status that the client got; null if it left before. */
  http_status: z.number().nullable(),
  /** The code of the error; null for a success. */
  error: z.string().nullable(),
  streamed: z.boolean(),
  /** How many endpoints were tried before the last one. */
  retries: z.number(),
  /** How long it waited for a slot. */
  queue_ms: z.number().nullable(),
  first_byte_ms: z.number().nullable(),
  duration_ms: z.number(),
  input_tokens: z.number().nullable(),
  output_tokens: z.number().nullable(),
  /** Input tokens that were in a cache. */
  cached_tokens: z.number().nullable(),
  /** Who counted: the answer (`usage`), a tokenizer, or an estimate. */
  token_source: z.string().nullable(),
  /** In the currency of the prices; null if the model has none. */
  cost: z.number().nullable(),
});
export type RequestView = z.infer<typeof RequestView>;

/** `GET /api/requests`: newest first; with `after`, in the order in which they were recorded. */
export const RequestPage = z.object({
  requests: z.array(RequestView),
  /** As `after`, it asks for what was recorded since. */
  latest: z.number(),
  /** The `cursor` of the next page; null: this was the last one. */
  next_cursor: z.string().nullable(),
  /** How many there are in all, if `count=true` asked for it. */
  total: z.number().optional(),
});
export type RequestPage = z.infer<typeof RequestPage>;

/** Why an attempt ended whose endpoint was drained and whose stream went on: it is no failure. */
export const ENDPOINT_DRAINED = "endpoint_drained";

/** `GET /api/requests/{id}`. */
export const RequestDetail = RequestView.extend({
  /** Its last attempt's address; null for whom only his own requests are shown. */
  endpoint_url: z.string().nullable(),
  /** Every attempt, in order. */
  attempts: z.array(
    z.object({
      endpoint_id: z.string(),
      endpoint_name: z.string(),
      /** When it began, from the start of the request. */
      start_ms: z.number().nullable(),
      /** Why it came to nothing: a status, or the code of an error. */
      error: z.string().nullable(),
      /** About how many tokens it gave of an answer that went on; null: it was another one. */
      tokens: z.number().nullable().default(null),
    }),
  ),
  /** The bodies as they are kept; null where they are not. Without texts unless for an admin. */
  request_body: z.string().nullable(),
  response_body: z.string().nullable(),
});
export type RequestDetail = z.infer<typeof RequestDetail>;
