import { z } from "zod";
import type { Settings } from "../config/settings.ts";
import type { App } from "../http/server/app.ts";
import { type JsonBody, readJson } from "../http/server/body.ts";
import { withoutIdleLimit } from "../http/server/listen.ts";
import type { AppContext } from "../http/server/scope.ts";
import { withExactDigits } from "../lib/json.ts";
import { TranslationRewrite } from "../translation/rewrite.ts";
import type { Translation } from "../translation/translation.ts";
import { ApiError } from "../wire/error.ts";
import { parseKeepAlive } from "../wire/keepalive.ts";
import { InferenceRequest } from "../wire/openai.ts";
import { dialectOf, type InferenceRoute, ROUTE_LIST } from "../wire/route.ts";
import { readModelForm } from "./form.ts";
import { BODIES } from "./llamacpp/bodies.ts";
import {
  type Adaptation,
  engineChat,
  engineCompletion,
  engineRequest,
} from "./llamacpp/enginebody.ts";
import { ADAPTATIONS, TRANSLATIONS } from "./llamacpp/requests.ts";
import { hasHalfCharacter, wellFormedJson } from "./llamacpp/surrogates.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import { type ProxyOptions, proxyToEngine } from "./proxy.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";
import { type EngineTask, taskOf } from "./supervisor/task.ts";

type Fields = Record<string, unknown>;

export interface InferenceParts {
  catalog: Catalog;
  supervisor: Supervisor;
  settings: Settings;
}

/** llama-server's own POST routes, with the task that they need; undefined: any engine. */
const NATIVE_ROUTES: Record<string, { task: EngineTask | undefined; adapt: Adaptation }> = {
  "/infill": { task: "generate", adapt: engineCompletion },
  "/apply-template": { task: "generate", adapt: engineChat },
  "/tokenize": { task: undefined, adapt: engineRequest },
  "/detokenize": { task: undefined, adapt: engineRequest },
};

/** A request of these need not name the model of a node that has just one. */
const NativeRequest = z.looseObject({ model: InferenceRequest.shape.model.optional() });

/**
 * llama-server's own GET routes. They need a loaded model and do not load it: browsers let any page
 * send a GET, and a load takes all memory there is.
 */
const WATCH_ROUTES = ["/slots", "/props", "/metrics", "/lora-adapters"];

/** Adds every route that a model's engine answers: those of the route table, and llama-server's. */
export function addInferenceRoutes(app: App, parts: InferenceParts): void {
  for (const route of ROUTE_LIST) {
    if (!route.onNodes) continue;
    if (route.form === undefined) addJsonRoute(app, route, parts);
    else addFormRoute(app, route, parts);
  }
  addNativeRoutes(app, parts);
}

/** The body goes to the engine as the bytes that came, unless llama.cpp needs another request. */
function addJsonRoute(app: App, route: InferenceRoute, parts: InferenceParts): void {
  const { path, name } = route;
  const task = taskOf(route.capability);
  const schema = BODIES[name] ?? InferenceRequest;
  const translate = TRANSLATIONS[name];
  const adapt = ADAPTATIONS[name] ?? engineRequest;
  app.post(path, async (c) => {
    const read = await readJson(c, schema, parts.settings.bodyLimitBytes);
    const { value } = read;
    const model = parts.catalog.get(value.model);
    if (name === "chat" && isLoadOnly(value)) return loadOrUnload(c, parts, { model, value });
    const request =
      translate === undefined
        ? { path, body: adapted(read, adapt) }
        : translatedRequest(c, value, translate(withExactDigits(read)));
    const keepAliveMs = parseKeepAlive((value as Fields).keep_alive);
    return send(c, parts, { model, task, keepAliveMs, ...request });
  });
}

function addFormRoute(app: App, { path, capability }: InferenceRoute, parts: InferenceParts): void {
  const task = taskOf(capability);
  app.post(path, async (c) => {
    const { bytes, model: name, texts } = await readModelForm(c, parts.settings.bodyLimitBytes);
    engineRequest(texts); // An engine reads all of them as fields of a chat.
    return send(c, parts, { model: parts.catalog.get(name), task, path, body: bytes });
  });
}

function addNativeRoutes(app: App, parts: InferenceParts): void {
  const { catalog, supervisor, settings } = parts;
  const modelOfQuery = (c: AppContext): ServedModel => {
    const name = c.req.query("model");
    return name === undefined ? catalog.only() : catalog.get(name);
  };
  for (const [path, { task, adapt }] of Object.entries(NATIVE_ROUTES)) {
    app.post(path, async (c) => {
      const read = await readJson(c, NativeRequest, settings.bodyLimitBytes);
      const { model: name } = read.value;
      const model = name === undefined ? modelOfQuery(c) : catalog.get(name);
      return send(c, parts, { model, task, path, body: adapted(read, adapt) });
    });
  }
  for (const path of WATCH_ROUTES) {
    app.get(path, (c) => {
      const { id } = modelOfQuery(c);
      const engine = supervisor.loadedEngine(id);
      if (engine === undefined) throw notLoadedError(id, path);
      return proxyToEngine(c, { engine, path, body: null, ...timeouts(settings) });
    });
  }
}

type EngineRequest = Pick<ProxyOptions, "path" | "body" | "rewrite">;

/** The body that came, or another if the engine needs another. */
function adapted(body: JsonBody<Fields>, adapt: Adaptation): Uint8Array<ArrayBuffer> {
  const { bytes, value } = body;
  if (adapt(value) === value && !hasHalfCharacter(bytes)) return bytes;
  return encode(adapt(withExactDigits(body)));
}

/** Sends a request to the engine of a model that does the task. */
async function send(
  c: AppContext,
  { supervisor, settings }: InferenceParts,
  {
    model,
    task,
    keepAliveMs,
    ...request
  }: EngineRequest & {
    model: ServedModel;
    task: EngineTask | undefined;
    /** How long it stays loaded afterwards; undefined: as before. */
    keepAliveMs?: number | undefined;
  },
): Promise<Response> {
  const engine = await supervisor.engineFor(model, task);
  if (keepAliveMs !== undefined) engine.keepAlive(keepAliveMs);
  return proxyToEngine(c, { engine, ...request, ...timeouts(settings) });
}

/** Whether a chat is only to load its model, or to unload it: it has no messages. */
function isLoadOnly(value: Fields): boolean {
  const { messages, keep_alive } = value;
  return Array.isArray(messages) && messages.length === 0 && keep_alive !== undefined;
}

/**
 * Loads a model, or ends its engines if it is to be kept for no time; those that work then end with
 * their last request. Answers as a chat that said nothing.
 */
async function loadOrUnload(
  c: AppContext,
  { supervisor }: InferenceParts,
  { model, value }: { model: ServedModel; value: Fields },
): Promise<Response> {
  const keepAliveMs = parseKeepAlive(value.keep_alive);
  if (keepAliveMs === 0) {
    for (const engine of supervisor.engines(model.id)) engine.keepAlive(0);
    await supervisor.unload(model.id);
  } else {
    withoutIdleLimit(c);
    const engine = await supervisor.engineFor(model, undefined);
    await engine.warm();
    if (keepAliveMs !== undefined) engine.keepAlive(keepAliveMs);
  }
  const message = { role: "assistant", content: "" };
  return c.json({
    ...{ id: `chatcmpl-${crypto.randomUUID()}`, object: "chat.completion", model: model.id },
    created: Math.floor(Date.now() / 1000),
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  });
}

/** The translated request, whose answer is translated back. */
function translatedRequest(
  c: AppContext,
  { model }: InferenceRequest,
  translation: Translation,
): EngineRequest {
  const { path, body } = translation;
  const dialect = dialectOf(c.req.path);
  const rewrite = new TranslationRewrite({
    translation,
    model,
    dialect,
    requestId: c.var.requestId,
  });
  return { path, body: encode(body), rewrite };
}

function encode(json: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(wellFormedJson(json));
}

function timeouts({ firstByteTimeoutMs, idleTimeoutMs }: Settings) {
  return { firstByteTimeoutMs, idleTimeoutMs };
}

function notLoadedError(id: string, path: string): ApiError {
  const message = `GET ${path} of ${id} is not possible now: the model is not loaded. Its first \
request loads it.`;
  return new ApiError("model_not_loaded", message, { param: "model" });
}
