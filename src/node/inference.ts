import { z } from "zod";
import type { Settings } from "../config/settings.ts";
import type { App, AppContext } from "../http/server/app.ts";
import { readBytes, readJson } from "../http/server/body.ts";
import { TranslatedRewrite } from "../translation/translated.ts";
import type { Translation } from "../translation/translation.ts";
import { ApiError } from "../wire/error.ts";
import { InferenceRequest } from "../wire/openai.ts";
import { dialectOf } from "../wire/route.ts";
import { TRANSLATED } from "./llamacpp/api.ts";
import { BODIES } from "./llamacpp/bodies.ts";
import { withOnePrompt } from "./llamacpp/oneprompt.ts";
import { withChosenTools } from "./llamacpp/toolchoice.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import { type ProxyOptions, proxyToEngine } from "./proxy.ts";
import type { Purpose } from "./supervisor/purpose.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";

export interface InferenceParts {
  catalog: Catalog;
  supervisor: Supervisor;
  settings: Settings;
}

/** Routes with a JSON body that names the model, and what their engine must be able to do. */
const JSON_ROUTES: Record<string, Purpose> = {
  "/v1/chat/completions": "generate",
  "/v1/completions": "generate",
  "/v1/responses": "generate",
  "/v1/messages": "generate",
  "/v1/messages/count_tokens": "generate",
  "/v1/embeddings": "embed",
  "/v1/rerank": "rerank",
};

/** llama-server's own routes, where the only model need not be named. Undefined: any engine. */
const NATIVE_ROUTES: Record<string, Purpose | undefined> = {
  "/infill": "generate",
  "/apply-template": "generate",
  "/tokenize": undefined,
  "/detokenize": undefined,
};

const NativeRequest = z.looseObject({ model: InferenceRequest.shape.model.optional() });

/** Routes about a model's engine, which start it if need be. */
const ENGINE_ROUTES = ["/props", "/lora-adapters"];

/** Routes that watch a running engine: looking at it is no reason to start it. */
const WATCH_ROUTES = ["/slots", "/metrics"];

/**
 * Adds every route that a model's engine answers. Bodies go on as the bytes they came in, unless
 * the engine has to be asked in other terms.
 */
export function addInferenceRoutes(app: App, parts: InferenceParts): void {
  const { catalog, supervisor, settings } = parts;

  for (const [path, need] of Object.entries(JSON_ROUTES)) {
    app.post(path, async (c) => {
      const schema = BODIES[path] ?? InferenceRequest;
      const { bytes, value } = await readJson(c, schema, settings.bodyLimitBytes);
      const via = TRANSLATED[path];
      const asked =
        via === undefined ? plain(path, bytes, value) : translated(c, value, via(value));
      return toEngine(c, catalog.get(value.model), { need, ...asked });
    });
  }

  for (const [path, need] of Object.entries(NATIVE_ROUTES)) {
    app.post(path, async (c) => {
      const { bytes, value } = await readJson(c, NativeRequest, settings.bodyLimitBytes);
      const model = value.model === undefined ? asked(c) : catalog.get(value.model);
      return toEngine(c, model, { path, need, body: bytes });
    });
  }

  app.post("/v1/audio/transcriptions", async (c) => {
    const { bytes, model } = await readForm(c, settings.bodyLimitBytes);
    const path = "/v1/audio/transcriptions";
    return toEngine(c, catalog.get(model), { path, need: "generate", body: bytes });
  });

  for (const path of ENGINE_ROUTES) {
    app.get(path, (c) => toEngine(c, asked(c), { path, need: undefined, body: null }));
  }

  for (const path of WATCH_ROUTES) {
    app.get(path, (c) => {
      const { id } = asked(c);
      const runner = supervisor.loaded(id);
      if (runner === undefined) throw notLoaded(id, path);
      return proxyToEngine(c, { runner, path, body: null, ...limits(settings) });
    });
  }

  function asked(c: AppContext): ServedModel {
    const id = c.req.query("model");
    return id === undefined ? catalog.only() : catalog.get(id);
  }

  async function toEngine(c: AppContext, model: ServedModel, request: EngineRequest) {
    const { need, ...asked } = request;
    const runner = await supervisor.runner(model, need);
    return proxyToEngine(c, { runner, ...asked, ...limits(settings) });
  }
}

/** What an engine is asked. */
type Asked = Pick<ProxyOptions, "path" | "body" | "rewrite">;

interface EngineRequest extends Asked {
  need: Purpose | undefined;
}

/** What llama.cpp reads otherwise than its API says is written anew, by path. */
const ANEW: Record<string, typeof withChosenTools> = {
  "/v1/chat/completions": withChosenTools,
  "/v1/completions": withOnePrompt,
};

/** As it came, as a rule. */
function plain(path: string, bytes: Uint8Array<ArrayBuffer>, value: InferenceRequest): Asked {
  const request = ANEW[path]?.(value) ?? value;
  return { path, body: request === value ? bytes : encode(request) };
}

/** As a chat completion, and the answer back. */
function translated(c: AppContext, { model }: InferenceRequest, translation: Translation): Asked {
  const { path, body } = translation;
  const { requestId } = c.var;
  const dialect = dialectOf(c.req.path);
  const rewrite = new TranslatedRewrite({ translation, model, dialect, requestId });
  return { path, body: encode(body), rewrite };
}

function encode(json: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(json));
}

type Limits = Pick<ProxyOptions, "firstByteTimeoutMs" | "idleTimeoutMs">;

function limits({ firstByteTimeoutMs, idleTimeoutMs }: Settings): Limits {
  return { firstByteTimeoutMs, idleTimeoutMs };
}

function notLoaded(id: string, path: string): ApiError {
  const message = `GET ${path} of ${id} is not possible now: the model is not loaded. Its first \
request loads it.`;
  return new ApiError("unavailable", message, { code: "model_not_loaded", param: "model" });
}

/** Reads a multipart form of at most `limitBytes` and the model that it names. */
async function readForm(c: AppContext, limitBytes: number) {
  const type = c.req.header("content-type") ?? "";
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    const message = "This route needs a form with the audio file: send multipart/form-data.";
    throw new ApiError("unsupported_media_type", message);
  }
  const bytes = await readBytes(c.req.raw, limitBytes);
  const form = await parseForm(bytes, type);
  const model = form.get("model");
  if (typeof model === "string" && model !== "") return { bytes, model };
  const message = "The request is invalid: the form field `model` is required.";
  throw new ApiError("invalid_request", message, { param: "model" });
}

async function parseForm(bytes: Uint8Array<ArrayBuffer>, type: string) {
  try {
    return await new Response(bytes, { headers: { "content-type": type } }).formData();
  } catch (cause) {
    const message = "The request body could not be read: it is not a complete multipart form.";
    throw new ApiError("invalid_request", message, { code: "invalid_form", cause });
  }
}
