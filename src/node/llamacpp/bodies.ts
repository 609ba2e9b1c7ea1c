import { z } from "zod";
import { InferenceRequest } from "../../wire/openai.ts";

/*
 * What llama.cpp (v0.5.0) reads of a request without telling when it is of a wrong type: it takes
 * such a field for absent, and the client gets an answer to a question that it did not ask. All
 * other fields it checks itself. Fields may be null wherever the APIs allow them to be absent.
 */

const texts = z.array(z.string());

/** A length of zero or a temperature below zero would be read as something else. */
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

/** Of all requests that end up as a chat, whatever API they came in. */
const chatting = {
  ...sampling,
  response_format: field(
    "response_format",
    "an object with a `type` and, for json_schema, an object `json_schema` with its `schema`",
    ResponseFormat.refine(({ type, json_schema: format }) => type !== "json_schema" || !!format),
  ),
  chat_template_kwargs: field("chat_template_kwargs", "an object", z.looseObject({})),
};

const Chat = InferenceRequest.extend({
  ...chatting,
  messages: checked("messages", "a list of messages", z.array(z.unknown()).min(1)),
  tool_choice: field(
    "tool_choice",
    "a text or an object",
    z.union([z.string(), z.looseObject({})]),
  ),
  stream_options: field("stream_options", "an object", z.looseObject({})),
});

/** The translation reads the rest of these. */
const Response = InferenceRequest.extend({
  ...chatting,
  max_output_tokens: field("max_output_tokens", "a whole number from 1 on", length),
});

const Message = InferenceRequest.extend(chatting);

/** llama.cpp makes vectors of the model's own length, whatever is asked. */
const Embedding = InferenceRequest.extend({
  dimensions: checked(
    "dimensions",
    "left out: the model makes vectors of its own length",
    z.null().optional(),
  ),
});

/** What a node checks of a body before an engine reads it, by path. */
export const BODIES: Record<string, typeof InferenceRequest> = {
  "/v1/chat/completions": Chat,
  "/v1/completions": Completion,
  "/v1/embeddings": Embedding,
  "/v1/responses": Response,
  "/v1/messages": Message,
  "/v1/messages/count_tokens": Message,
};

function field(name: string, kind: string, schema: z.ZodType) {
  return checked(name, kind, schema.nullish());
}

/** Says what a field must be, not what is wrong deep inside. The engine sees what is absent. */
function checked(name: string, kind: string, schema: z.ZodType) {
  return z
    .unknown()
    .optional()
    .superRefine((value, context) => {
      if (schema.safeParse(value).success) return;
      context.addIssue({ code: "custom", message: `\`${name}\` must be ${kind}` });
    });
}
