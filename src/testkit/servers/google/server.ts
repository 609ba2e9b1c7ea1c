import {
  contentParts,
  type GeminiRequest,
  type GoogleFault,
  geminiAnswer,
  isGeminiRequest,
} from "./answer.ts";

/**
 * A server that behaves as Google's Gemini API does as far as clients can tell, faults included.
 * It follows the public documentation: https://ai.google.dev/api/generate-content, /api/models,
 * /api/embeddings, /api/tokens, /gemini-api/docs/function-calling,
 * /gemini-api/docs/troubleshooting, /gemini-api/docs/thought-signatures.
 */
export interface GoogleServer extends Disposable {
  /** Base URL with the version: `http://…/v1beta`. */
  url: string;
  /** The one key that it takes. */
  key: string;
  /** Bodies of what it was asked to generate. */
  requests: GeminiRequest[];
  /** How many lists of models it gave. */
  lists: number;
  /** How it misbehaves; may be changed. */
  fault: GoogleFault;
}

const MODELS = [
  { name: "models/gemini-2.5-flash", methods: ["generateContent", "countTokens"] },
  { name: "models/gemini-2.5-pro", methods: ["generateContent", "countTokens"] },
  { name: "models/gemini-3-pro-preview", methods: ["generateContent", "countTokens"] },
  { name: "models/gemini-embedding-001", methods: ["embedContent"] },
  { name: "models/aqa", methods: ["generateAnswer"] },
];

/** An error as Google words it; the status is a name of google.rpc.Code. */
function failure(code: number, status: string, message: string, details: object[] = []) {
  const error = { code, message, status, ...(details.length > 0 ? { details } : {}) };
  return Response.json({ error }, { status: code });
}

const RETRY_INFO = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "17s" };

const BAD_KEY = {
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason: "API_KEY_INVALID",
  domain: "googleapis.com",
};

/** Starts it on a free port. */
export function googleServer(key = "google-key"): GoogleServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const given = request.headers.get("x-goog-api-key") ?? searchParams.get("key");
      if (given === null) {
        return failure(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.");
      }
      if (given !== self.key) {
        const message = "API key not valid. Please pass a valid API key.";
        return failure(400, "INVALID_ARGUMENT", message, [BAD_KEY]);
      }
      if (request.method === "GET" && pathname === "/v1beta/models")
        return list(self, searchParams);
      const [, model, method] = /^\/v1beta\/models\/([^/:]+):(\w+)$/.exec(pathname) ?? [];
      const known = MODELS.find(({ name }) => name === `models/${model}`);
      if (request.method !== "POST" || method === undefined || model === undefined) {
        return new Response("Not found", { status: 404 });
      }
      if (known === undefined) {
        const message = `models/${model} is not found for API version v1beta, or is not supported \
for ${method}. Call ListModels to see the list of available models and their supported methods.`;
        return failure(404, "NOT_FOUND", message);
      }
      const body: unknown = await request.json().catch(() => undefined);
      if (!isGeminiRequest(body))
        return failure(400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
      return faultOf(self.fault) ?? answer(self, { model, method, body, searchParams });
    },
  });
  const self: GoogleServer = {
    url: `http://127.0.0.1:${server.port}/v1beta`,
    key,
    requests: [],
    lists: 0,
    fault: "none",
    [Symbol.dispose]: () => void server.stop(true),
  };
  return self;
}

function faultOf(fault: GoogleFault): Response | undefined {
  switch (fault) {
    case "invalid":
      return failure(400, "INVALID_ARGUMENT", "Request contains an invalid argument.");
    case "forbidden":
      return failure(403, "PERMISSION_DENIED", "Your API key was reported as leaked.");
    case "exhausted":
      return failure(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [RETRY_INFO]);
    case "unavailable":
      return failure(503, "UNAVAILABLE", "The model is overloaded. Please try again later.");
    default:
      return undefined;
  }
}

/** The list of models, two on a page, so that clients have to ask for more than one. */
function list(self: GoogleServer, query: URLSearchParams): Response {
  if (self.fault === "unavailable") return faultOf(self.fault) ?? new Response();
  self.lists += 1;
  const from = Number(query.get("pageToken") ?? 0);
  const models = MODELS.slice(from, from + 2).map(({ name, methods }) => ({
    name,
    version: "001",
    displayName: name,
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: methods,
  }));
  const more = from + 2 < MODELS.length ? { nextPageToken: String(from + 2) } : {};
  return Response.json({ models, ...more });
}

interface GenerateCall {
  model: string;
  method: string;
  body: GeminiRequest;
  searchParams: URLSearchParams;
}

function answer(self: GoogleServer, { model, method, body, searchParams }: GenerateCall): Response {
  switch (method) {
    case "countTokens": {
      const { model: named, ...whole } = body.generateContentRequest ?? {
        ...body,
        model: undefined,
      };
      if (named !== undefined && named !== `models/${model}`) {
        return failure(400, "INVALID_ARGUMENT", "The model is not that of the path.");
      }
      const wrong = wrongWith(whole, model);
      if (wrong !== undefined) return failure(400, "INVALID_ARGUMENT", wrong);
      return Response.json({ totalTokens: JSON.stringify(whole).length });
    }
    case "batchEmbedContents":
      return Response.json({ embeddings: (body.requests ?? []).map(embedding) });
    case "generateContent":
    case "streamGenerateContent": {
      const wrong = wrongWith(body, model);
      if (wrong !== undefined) return failure(400, "INVALID_ARGUMENT", wrong);
      self.requests.push(body);
      const answers = geminiAnswer(body, { model, fault: self.fault });
      if (method === "generateContent") return Response.json(answers.whole);
      if (searchParams.get("alt") !== "sse") return Response.json(answers.events);
      const events = answers.events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`);
      return new Response(events.join(""), { headers: { "content-type": "text/event-stream" } });
    }
    default:
      return failure(404, "NOT_FOUND", `models/${model} is not supported for ${method}.`);
  }
}

interface EmbedRequest {
  content: { parts: { text: string }[] };
  outputDimensionality?: number;
}

/** A vector that depends on the text alone, with the number of dimensions that was asked for. */
function embedding({ content, outputDimensionality = 8 }: EmbedRequest) {
  const text = content.parts.map((part) => part.text).join("");
  const seed = Bun.hash.crc32(text);
  const values = Array.from({ length: outputDimensionality }, (_, at) => Math.sin(seed + at));
  return { values };
}

const FIELDS = [
  ...["contents", "systemInstruction", "tools", "toolConfig", "generationConfig"],
  ...["safetySettings", "cachedContent", "model"],
];

/** What is wrong with a request, in Google's words; undefined for nothing. */
function wrongWith(body: GeminiRequest, model: string): string | undefined {
  const unknown = Object.keys(body).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    return `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`;
  }
  if (!Array.isArray(body.contents) || body.contents.length === 0) {
    return "* GenerateContentRequest.contents: contents is not specified";
  }
  for (const [at, { role, parts }] of body.contents.entries()) {
    if (role !== "user" && role !== "model") {
      return "Please use a valid role: user, model.";
    }
    if (parts.length === 0) return `* GenerateContentRequest.contents[${at}].parts: is empty`;
    const answers = parts.filter((part) => part.functionResponse !== undefined);
    if (answers.length === 0) continue;
    const calls = contentParts(body.contents[at - 1]).filter(
      (part) => part.functionCall !== undefined,
    );
    if (calls.length === answers.length) {
      const isSigned = calls[0]?.thoughtSignature !== undefined;
      if (isSigned || !model.startsWith("gemini-3")) continue;
      return "Function call is missing a thought_signature in functionCall parts.";
    }
    return "Please ensure that the number of function response parts is equal to the number of \
function call parts of the function call turn.";
  }
  return undefined;
}
