import { z } from "zod";
import { absent } from "./absent.ts";

/**
 * Google's Gemini API, as far as translated chat completions and embeddings need it. Requests are
 * plain types; answers are parsed, null is read as absent, and unknown fields are kept.
 * Source: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/embeddings
 */

/** A part of a message. It has exactly one of text, data, file, call and response. */
export interface GooglePart {
  text?: string;
  /** The text is the model's thinking. */
  thought?: boolean;
  /** Opaque; Google requires it back with the part that it came with. */
  thoughtSignature?: string;
  /** `data` is base64. */
  inlineData?: { mimeType: string; data: string };
  fileData?: { fileUri: string; mimeType?: string };
  functionCall?: { id?: string; name: string; args: Record<string, unknown> };
  functionResponse?: { id?: string; name: string; response: Record<string, unknown> };
}

export interface GoogleContent {
  role: "user" | "model";
  parts: GooglePart[];
}

/** One function that the model may call; its parameters are a JSON schema. */
export interface GoogleFunction {
  name: string;
  description?: string;
  parametersJsonSchema?: Record<string, unknown>;
}

interface GoogleToolConfig {
  functionCallingConfig: { mode: "AUTO" | "ANY" | "NONE"; allowedFunctionNames?: string[] };
}

/** How much a model thinks: a level since Gemini 3, a budget of tokens before. */
export interface GoogleThinking {
  includeThoughts: boolean;
  thinkingLevel?: "minimal" | "low" | "medium" | "high";
  thinkingBudget?: number;
}

export interface GoogleGeneration {
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  stopSequences?: string[];
  seed?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  candidateCount?: number;
  responseMimeType?: string;
  responseJsonSchema?: Record<string, unknown>;
  responseLogprobs?: boolean;
  logprobs?: number;
  thinkingConfig?: GoogleThinking;
}

/** The body of `generateContent` and `streamGenerateContent`. */
export interface GoogleRequest {
  contents: GoogleContent[];
  systemInstruction?: { parts: GooglePart[] };
  tools?: { functionDeclarations: GoogleFunction[] }[];
  toolConfig?: GoogleToolConfig;
  generationConfig?: GoogleGeneration;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field of an answer that stands for this where it is left out or null. */
function orElse<T extends z.ZodType>(schema: T, value: z.output<T>) {
  return schema.nullish().transform((given) => given ?? value);
}

function listOf<T extends z.ZodType>(schema: T) {
  return z
    .array(schema)
    .nullish()
    .transform((list) => list ?? []);
}

const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);

const GoogleAnswerPart = z.looseObject({
  text: absent(z.string()),
  thought: absent(z.boolean()),
  thoughtSignature: absent(z.string()),
  inlineData: absent(
    z.looseObject({ mimeType: orElse(z.string(), "application/octet-stream"), data: z.string() }),
  ),
  functionCall: absent(
    z.looseObject({
      id: absent(z.string()),
      name: z.string(),
      args: z.custom<object>(isObject).nullish(),
    }),
  ),
});
export type GoogleAnswerPart = z.infer<typeof GoogleAnswerPart>;

const LogprobCandidate = z.looseObject({
  token: orElse(z.string(), ""),
  logProbability: count,
});

export const GoogleLogprobs = z.looseObject({
  chosenCandidates: listOf(LogprobCandidate),
  topCandidates: listOf(z.looseObject({ candidates: listOf(LogprobCandidate) })),
});
export type GoogleLogprobs = z.infer<typeof GoogleLogprobs>;

export const GoogleCandidate = z.looseObject({
  index: count,
  content: z
    .looseObject({ parts: z.array(GoogleAnswerPart).nullish() })
    .nullish()
    .transform((content) => content?.parts ?? []),
  finishReason: z.string().nullish(),
  finishMessage: z.string().nullish(),
  logprobsResult: GoogleLogprobs.nullish(),
});
export type GoogleCandidate = z.infer<typeof GoogleCandidate>;

export const GoogleUsage = z.looseObject({
  promptTokenCount: count,
  candidatesTokenCount: count,
  totalTokenCount: absent(z.number()),
  cachedContentTokenCount: absent(z.number()),
  thoughtsTokenCount: absent(z.number()),
  toolUsePromptTokenCount: absent(z.number()),
});
export type GoogleUsage = z.infer<typeof GoogleUsage>;

/** An answer, or one event of a streamed one. */
export const GoogleAnswer = z.looseObject({
  candidates: listOf(GoogleCandidate),
  promptFeedback: z.looseObject({ blockReason: absent(z.string()) }).nullish(),
  usageMetadata: GoogleUsage.nullish(),
  responseId: absent(z.string()),
});
export type GoogleAnswer = z.infer<typeof GoogleAnswer>;

/** The answer of `batchEmbedContents`. */
export const GoogleEmbeddings = z.looseObject({
  embeddings: z.array(z.looseObject({ values: z.array(z.number()) })),
  usageMetadata: z.looseObject({ promptTokenCount: count }).nullish(),
});
export type GoogleEmbeddings = z.infer<typeof GoogleEmbeddings>;

/** One page of `GET /models`. */
export const GoogleModels = z.looseObject({
  models: listOf(
    z.looseObject({
      /** With `models/` before it. */
      name: z.string(),
      inputTokenLimit: absent(z.number()),
      supportedGenerationMethods: listOf(z.string()),
    }),
  ),
  nextPageToken: absent(z.string()),
});
