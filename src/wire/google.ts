import { z } from "zod";

/**
 * Google's Gemini API, as far as translated chat completions and embeddings need it. Requests are
 * plain types; answers are parsed, and unknown fields are kept.
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

const GoogleAnswerPart = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  thoughtSignature: z.string().optional(),
  inlineData: z
    .looseObject({ mimeType: z.string().default("application/octet-stream"), data: z.string() })
    .optional(),
  functionCall: z
    .looseObject({
      id: z.string().optional(),
      name: z.string(),
      args: z.custom<object>(isObject).nullish(),
    })
    .optional(),
});
export type GoogleAnswerPart = z.infer<typeof GoogleAnswerPart>;

const LogprobCandidate = z.looseObject({
  token: z.string().default(""),
  logProbability: z.number().default(0),
});

export const GoogleLogprobs = z.looseObject({
  chosenCandidates: z.array(LogprobCandidate).default([]),
  topCandidates: z
    .array(z.looseObject({ candidates: z.array(LogprobCandidate).default([]) }))
    .default([]),
});
export type GoogleLogprobs = z.infer<typeof GoogleLogprobs>;

export const GoogleCandidate = z.looseObject({
  index: z.number().default(0),
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
  promptTokenCount: z.number().default(0),
  candidatesTokenCount: z.number().default(0),
  totalTokenCount: z.number().optional(),
  cachedContentTokenCount: z.number().optional(),
  thoughtsTokenCount: z.number().optional(),
  toolUsePromptTokenCount: z.number().optional(),
});
export type GoogleUsage = z.infer<typeof GoogleUsage>;

/** An answer, or one event of a streamed one. */
export const GoogleAnswer = z.looseObject({
  candidates: z.array(GoogleCandidate).default([]),
  promptFeedback: z.looseObject({ blockReason: z.string().optional() }).nullish(),
  usageMetadata: GoogleUsage.nullish(),
  responseId: z.string().optional(),
});
export type GoogleAnswer = z.infer<typeof GoogleAnswer>;

/** The answer of `batchEmbedContents`. */
export const GoogleEmbeddings = z.looseObject({
  embeddings: z.array(z.looseObject({ values: z.array(z.number()) })),
  usageMetadata: z.looseObject({ promptTokenCount: z.number().default(0) }).nullish(),
});
export type GoogleEmbeddings = z.infer<typeof GoogleEmbeddings>;

/** One page of `GET /models`. */
export const GoogleModels = z.looseObject({
  models: z
    .array(
      z.looseObject({
        /** With `models/` before it. */
        name: z.string(),
        inputTokenLimit: z.number().optional(),
        supportedGenerationMethods: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  nextPageToken: z.string().optional(),
});
