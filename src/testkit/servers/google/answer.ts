/** How the server misbehaves. */
export type GoogleFault =
  | "none"
  | "invalid"
  | "forbidden"
  | "exhausted"
  | "unavailable"
  /** The stream ends without a reason. */
  | "cut"
  /** The stream holds an error. */
  | "broken"
  | "blocked"
  | "unsafe"
  | "malformed_call";

/** What the stand-in for Google's API answers, made of what it was asked. */

export interface GeminiPart {
  text?: string;
  thought?: boolean;
  thoughtSignature?: string;
  inlineData?: { mimeType: string; data: string };
  fileData?: { fileUri: string };
  functionCall?: { id?: string; name: string; args: Record<string, unknown> };
  functionResponse?: { id?: string; name: string; response: Record<string, unknown> };
}

export interface GeminiContent {
  role: string;
  parts: GeminiPart[];
}

/** The fields of a request that the stand-in reads. */
export interface GeminiRequest {
  contents?: GeminiContent[];
  /** Of `countTokens`. */
  generateContentRequest?: GeminiRequest & { model?: string };
  requests?: { content: { parts: { text: string }[] }; outputDimensionality?: number }[];
  systemInstruction?: { parts: GeminiPart[] };
  tools?: { functionDeclarations: { name: string }[] }[];
  toolConfig?: { functionCallingConfig: { mode: string; allowedFunctionNames?: string[] } };
  generationConfig?: {
    maxOutputTokens?: number;
    responseMimeType?: string;
    candidateCount?: number;
    thinkingConfig?: { includeThoughts?: boolean };
  };
}

export function isGeminiRequest(value: unknown): value is GeminiRequest {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function contentParts(content: GeminiContent | undefined): GeminiPart[] {
  return content?.parts ?? [];
}

/** A whole answer and the same in events. */
export interface GeminiAnswer {
  whole: object;
  events: object[];
}

/**
 * Calls every function that was declared (or the one that is allowed) if it must, or if the last
 * text begins with `call`; says `<name>: <answers>` of what functions answered; else repeats the
 * system's text, what was attached and the last text.
 */
export function geminiAnswer(body: GeminiRequest, { model, fault }: AnswerOptions): GeminiAnswer {
  const config = body.generationConfig ?? {};
  const usageMetadata = {
    promptTokenCount: 12,
    candidatesTokenCount: 5,
    totalTokenCount: 20,
    cachedContentTokenCount: 4,
    thoughtsTokenCount: 3,
  };
  const common = { modelVersion: model, responseId: "resp-1" };
  if (fault === "blocked") {
    const { promptTokenCount } = usageMetadata;
    const usage = { promptTokenCount, totalTokenCount: promptTokenCount };
    const whole = { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: usage, ...common };
    return { whole, events: [whole] };
  }
  const parts = fault === "none" || fault === "cut" || fault === "broken" ? said(body, model) : [];
  const isCut = config.maxOutputTokens !== undefined && config.maxOutputTokens < 3;
  const finishReason =
    fault === "unsafe"
      ? "SAFETY"
      : fault === "malformed_call"
        ? "MALFORMED_FUNCTION_CALL"
        : isCut
          ? "MAX_TOKENS"
          : "STOP";
  const indexes = Array.from({ length: config.candidateCount ?? 1 }, (_, index) => index);
  const whole = {
    candidates: indexes.map((index) => ({
      content: { role: "model", parts },
      finishReason,
      index,
    })),
    usageMetadata,
    ...common,
  };
  return {
    whole,
    events: eventsOf(parts, { indexes, finishReason, usageMetadata, common, fault }),
  };
}

interface AnswerOptions {
  model: string;
  fault: GoogleFault;
}

interface StreamOptions {
  indexes: number[];
  finishReason: string;
  usageMetadata: object;
  common: object;
  fault: GoogleFault;
}

function eventsOf(parts: GeminiPart[], streamed: StreamOptions): object[] {
  const { indexes, finishReason, usageMetadata, common, fault } = streamed;
  const pieces = parts.flatMap((part) =>
    part.text === undefined ? [part] : halves(part.text).map((text) => ({ ...part, text })),
  );
  const events: object[] = pieces.flatMap((part) =>
    indexes.map((index) => ({
      candidates: [{ content: { role: "model", parts: [part] }, index }],
      usageMetadata: { promptTokenCount: 12, totalTokenCount: 12 },
      ...common,
    })),
  );
  if (fault === "cut") return events;
  if (fault === "broken") {
    const error = { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" };
    return [...events, { error }];
  }
  const candidates = indexes.map((index) => ({
    content: { role: "model", parts: [{ text: "" }] },
    finishReason,
    index,
  }));
  return [...events, { candidates, usageMetadata, ...common }];
}

function halves(text: string): string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((half) => half !== "");
}

function said(body: GeminiRequest, model: string): GeminiPart[] {
  const contents = body.contents ?? [];
  const last = contentParts(contents.at(-1));
  const config = body.generationConfig ?? {};
  const thoughts: GeminiPart[] = config.thinkingConfig?.includeThoughts
    ? [{ text: "Let me think.", thought: true }]
    : [];
  const text = last.map((part) => part.text ?? "").join("");
  const calling = body.toolConfig?.functionCallingConfig;
  const declared = (body.tools ?? []).flatMap(({ functionDeclarations }) => functionDeclarations);
  const answers = last.flatMap((part) => part.functionResponse ?? []);
  const wants = calling?.mode === "ANY" || text.startsWith("call");
  if (declared.length > 0 && answers.length === 0 && calling?.mode !== "NONE" && wants) {
    const names = calling?.allowedFunctionNames ?? declared.map(({ name }) => name);
    return [...thoughts, ...names.map((name, at) => callOf(name, at, { model, text }))];
  }
  if (answers.length > 0) {
    const told = answers.map(({ name, response }) => `${name}: ${JSON.stringify(response)}`);
    return [...thoughts, { text: told.join("; ") }];
  }
  if (config.responseMimeType === "application/json") {
    return [...thoughts, { text: JSON.stringify({ answer: text }) }];
  }
  const system = contentParts({ role: "user", parts: body.systemInstruction?.parts ?? [] });
  const words = [...system.map((part) => part.text ?? ""), ...last.map(wordOf)];
  return [...thoughts, { text: words.filter((word) => word !== "").join(" ") }];
}

/** Models of Gemini 3 give their calls ids, and sign the first. */
function callOf(
  name: string,
  at: number,
  { model, text }: { model: string; text: string },
): GeminiPart {
  const isNew = model.startsWith("gemini-3");
  const args = { text };
  if (!isNew) return { functionCall: { name, args } };
  const functionCall = { id: `id-${at}`, name, args };
  return at === 0 ? { functionCall, thoughtSignature: "c2lnbmVk" } : { functionCall };
}

function wordOf({ text, inlineData, fileData }: GeminiPart): string {
  if (inlineData !== undefined) return `[${inlineData.mimeType}]`;
  if (fileData !== undefined) return `[${fileData.fileUri}]`;
  return text ?? "";
}
