import { z } from "zod";
import type { GuardedSchema } from "../../http/server/body.ts";
import { InferenceRequest, isInferenceRequest } from "../../wire/openai.ts";
import type { RouteName } from "../../wire/route.ts";

/*
 * Checks of the fields that llama.cpp (v0.5.0) ignores if they have a wrong type: the client would
 * get an answer to another request than its own. llama.cpp checks all other fields itself. Fields
 * may be null wherever the APIs allow them to be absent.
 */

const texts = z.array(z.string());

/** Lengths. llama.cpp would read 0 and numbers below -1 as something else; -1 is its "no limit". */
const length = z.int().refine((value) => value === -1 || value >= 1);

const sampling = {
  temperature: field("temperature", "a number from 0 on", z.number().min(0)),
  max_tokens: field("max_tokens", "a whole number from 1 on", length),
  max_completion_tokens: field("max_completion_tokens", "a whole number from 1 on", length),
  stop: field("stop", "a text or a list of texts", z.union([z.string(), texts])),
  grammar: field("grammar", "a text", z.string()),
  logit_bias: field(
    "logit_bias",
    "an object of numbers or a list of pairs",
    z.union([
      z.record(z.string(), z.union([z.number(), z.literal(false)])),
      z.array(z.array(z.unknown())),
    ]),
  ),
  samplers: field("samplers", "a text or a list of texts", z.union([z.string(), texts])),
  id_slot: field("id_slot", "a number", z.number()),
};

const Completion = InferenceRequest.extend(sampling);

const ResponseFormat = z.looseObject({
  type: z.string(),
  json_schema: z.looseObject({ schema: z.looseObject({}).nullish() }).nullish(),
});

/** Fields of all requests that become a chat, in every API. */
const chatFields = {
  ...sampling,
  response_format: field(
    "response_format",
    "an object with a `type` and, for json_schema, an object `json_schema` with its `schema`",
    ResponseFormat.refine(({ type, json_schema: format }) => type !== "json_schema" || !!format),
  ),
  chat_template_kwargs: field("chat_template_kwargs", "an object", z.looseObject({})),
};

const Chat = InferenceRequest.extend({
  ...chatFields,
  logprobs: field("logprobs", "true or false", z.boolean()),
  top_logprobs: field("top_logprobs", "a whole number from 0 to 20", z.int().min(0).max(20)),
  messages: checked("messages", "a list of messages", z.array(z.unknown())),
  tool_choice: field(
    "tool_choice",
    "a text or an object",
    z.union([z.string(), z.looseObject({})]),
  ),
  stream_options: field("stream_options", "an object", z.looseObject({})),
}).superRefine(({ messages, keep_alive }, context) => {
  // A chat without messages is to load its model, or to end it.
  if (!Array.isArray(messages) || messages.length > 0 || keep_alive !== undefined) return;
  const message = "`messages` must be a list of messages";
  context.addIssue({ code: "custom", path: ["messages"], message });
});

/** The translation checks the other fields. */
const Response = InferenceRequest.extend({
  ...chatFields,
  max_output_tokens: field("max_output_tokens", "a whole number from 1 on", length),
});

const Message = InferenceRequest.extend(chatFields);

const tokens = z.array(z.int());

/** llama.cpp ignores `dimensions`: its vectors always have the model's own length. */
const Embedding = InferenceRequest.extend({
  input: field(
    "input",
    "a text, a list of tokens, or a list of these",
    z.union([z.string(), tokens, z.array(z.union([z.string(), tokens]))]),
  ),
  dimensions: checked(
    "dimensions",
    "left out: the model makes vectors of its own length",
    z.null().optional(),
  ),
});

/** What most requests have in these fields, which their schemas would take. */
const USUAL: Record<string, (value: unknown) => boolean> = {
  temperature: (value) => Number.isFinite(value) && Number(value) >= 0,
  max_tokens: isLength,
  max_completion_tokens: isLength,
  max_output_tokens: isLength,
  stop: (value) => typeof value === "string",
  input: (value) => typeof value === "string",
  messages: (value) => Array.isArray(value) && value.length > 0,
  stream_options: (value) => typeof value === "object" && !Array.isArray(value),
};

/** Fields that must be there. */
const NEEDED = ["messages"];

/** The schemas of requests before an engine reads them. */
export const BODIES: Partial<Record<RouteName, GuardedSchema<InferenceRequest>>> = {
  chat: guarded(Chat),
  generate: guarded(Completion),
  embeddings: guarded(Embedding),
  responses: guarded(Response),
  anthropic_messages: guarded(Message),
  count_tokens: guarded(Message),
};

/** The schema of all other requests. */
export const ANY_BODY: GuardedSchema<InferenceRequest> = guarded(InferenceRequest);

function isLength(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}

/** A schema, and the usual requests that it takes: its fields are absent, or as most have them. */
function guarded(schema: typeof InferenceRequest): GuardedSchema<InferenceRequest> {
  const names = Object.keys(schema.shape).filter((name) => !(name in InferenceRequest.shape));
  const own = new Set(names);
  const needed = NEEDED.filter((name) => own.has(name));
  return {
    schema,
    accepts: (json): json is InferenceRequest => {
      if (!isInferenceRequest(json)) return false;
      for (const name of needed) if (json[name] == null) return false;
      for (const name in json) {
        const value = json[name];
        if (own.has(name) && value != null && USUAL[name]?.(value) !== true) return false;
      }
      return true;
    },
  };
}

function field(name: string, kind: string, schema: z.ZodType) {
  return checked(name, kind, schema.nullish());
}

/** Any value that `schema` accepts, unchanged. The error names the field and its `kind` only. */
function checked(name: string, kind: string, schema: z.ZodType) {
  return z
    .unknown()
    .optional()
    .superRefine((value, context) => {
      if (schema.safeParse(value).success) return;
      context.addIssue({ code: "custom", message: `\`${name}\` must be ${kind}` });
    });
}
