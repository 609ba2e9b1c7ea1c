import { z } from "zod";
import { functionTools } from "./functiontools.ts";
import { Seed } from "./seed.ts";

/**
 * Ollama's API, as far as the balancer reads its clients' requests.
 * Source: https://docs.ollama.com/api
 */
const Images = z.array(z.string()).nullish();

export const OllamaCall = z.looseObject({
  id: z.string().nullish(),
  function: z.looseObject({
    name: z.string(),
    /** An object, unlike in other APIs; some clients send the text of one. */
    arguments: z.union([z.record(z.string(), z.unknown()), z.string()]).nullish(),
  }),
});
export type OllamaCall = z.infer<typeof OllamaCall>;

export const OllamaMessage = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  /** In base64, without the head of a data URL. */
  images: Images,
  tool_calls: z.array(OllamaCall).nullish(),
  /** Of a tool's result: the name of the function. */
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
});
export type OllamaMessage = z.infer<typeof OllamaMessage>;

export const OllamaTool = z.looseObject({
  type: z.literal("function").default("function"),
  function: z.looseObject({
    name: z.string(),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});
export type OllamaTool = z.infer<typeof OllamaTool>;

/** The `options` that are translated; the others are about loading a model. */
export const OllamaModelOptions = z.looseObject({
  num_predict: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  min_p: z.number().nullish(),
  typical_p: z.number().nullish(),
  seed: Seed,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  repeat_penalty: z.number().nullish(),
  repeat_last_n: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  mirostat: z.number().nullish(),
  mirostat_tau: z.number().nullish(),
  mirostat_eta: z.number().nullish(),
});
export type OllamaModelOptions = z.infer<typeof OllamaModelOptions>;

const KeepAlive = z.union([z.string(), z.number()]).nullish();

/** The fields that `/api/chat` and `/api/generate` share. */
export const OllamaSettings = z.looseObject({
  model: z.string().min(1),
  /** True where it is left out. */
  stream: z.boolean().nullish(),
  /** `json`, or a JSON schema. */
  format: z.union([z.enum(["", "json"]), z.record(z.string(), z.unknown())]).nullish(),
  options: OllamaModelOptions.nullish(),
  keep_alive: KeepAlive,
  think: z.union([z.boolean(), z.enum(["low", "medium", "high", "max"])]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().nullish(),
});
export type OllamaSettings = z.infer<typeof OllamaSettings>;

/** `POST /api/chat`. Without messages it loads the model. */
export const OllamaChatRequest = OllamaSettings.extend({
  messages: z.array(OllamaMessage).nullish(),
  tools: z.preprocess(functionTools, z.array(OllamaTool).nullish()).optional(),
});
export type OllamaChatRequest = z.infer<typeof OllamaChatRequest>;

/** `POST /api/generate`. Without a prompt it loads the model. */
export const OllamaGenerateRequest = OllamaSettings.extend({
  prompt: z.string().nullish(),
  system: z.string().nullish(),
  images: Images,
  raw: z.boolean().nullish(),
  suffix: z.string().nullish(),
  template: z.string().nullish(),
  context: z.array(z.number()).nullish(),
});
export type OllamaGenerateRequest = z.infer<typeof OllamaGenerateRequest>;

/** `POST /api/embed`. */
export const OllamaEmbedRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  truncate: z.boolean().nullish(),
  dimensions: z.number().nullish(),
  keep_alive: KeepAlive,
});

/** `POST /api/embeddings`, the older route, which takes one text. */
export const OllamaEmbeddingsRequest = z.looseObject({
  model: z.string().min(1),
  prompt: z.string(),
  keep_alive: KeepAlive,
});

/** `POST /api/show`; older clients call the model `name`. */
export const OllamaShowRequest = z
  .looseObject({ model: z.string().nullish(), name: z.string().nullish() })
  .transform(({ model, name }) => ({ model: model || name || "" }))
  .refine(({ model }) => model !== "", { error: "`model` is required", path: ["model"] });

/** Details of a model; empty where unknown. */
export interface OllamaDetails {
  parent_model: string;
  format: string;
  family: string;
  families: string[];
  parameter_size: string;
  quantization_level: string;
}
