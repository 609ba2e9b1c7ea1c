import { z } from "zod";
import type { App } from "../http/server/app.ts";
import { readJson } from "../http/server/body.ts";
import { withoutIdleLimit } from "../http/server/listen.ts";
import type { Scope } from "../http/server/scope.ts";
import { withExactDigits } from "../lib/json.ts";
import { TranslationRewrite } from "../translation/rewrite.ts";
import type { Translation } from "../translation/translation.ts";
import { parseKeepAlive } from "../wire/keepalive.ts";
import type { InferenceRequest } from "../wire/openai.ts";
import { dialectOf, type InferenceRoute, ROUTE_LIST, type RouteName } from "../wire/route.ts";
import {
  adapted,
  type EngineRequest,
  encode,
  type InferenceParts,
  sendToModel,
} from "./exchange.ts";
import { readModelForm } from "./form.ts";
import { ANY_BODY, BODIES } from "./llamacpp/bodies.ts";
import { engineRequest } from "./llamacpp/enginebody.ts";
import { ADAPTATIONS, TRANSLATIONS } from "./llamacpp/requests.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import { taskOf } from "./supervisor/task.ts";

type Fields = Record<string, unknown>;

/** Other paths of llama-server for the same; its `/completions` and `/embeddings` are others. */
const ALIASES: Partial<Record<RouteName, string[]>> = {
  chat: ["/chat/completions"],
  rerank: ["/rerank", "/reranking", "/v1/reranking"],
  transcription: ["/audio/transcriptions"],
};

/** Adds the routes of the route table that a model's engine answers. */
export function addInferenceRoutes(app: App, parts: InferenceParts): void {
  for (const route of ROUTE_LIST) {
    if (!route.onNodes) continue;
    const add = route.form === undefined ? addJsonRoute : addFormRoute;
    for (const path of [route.path, ...(ALIASES[route.name] ?? [])]) {
      add(app, { path, route }, parts);
    }
  }
}

/** A route at one of its paths; the engine has it at its first one. */
interface PlacedRoute {
  path: string;
  route: InferenceRoute;
}

/** The body goes to the engine as the bytes that came, unless llama.cpp needs another request. */
function addJsonRoute(app: App, { path: at, route }: PlacedRoute, parts: InferenceParts): void {
  const { path, name } = route;
  const task = taskOf(route.capability);
  const { schema: named, accepts } = BODIES[name] ?? ANY_BODY;
  const schema = { schema: withOnlyModel(named, parts.catalog), accepts };
  const translate = TRANSLATIONS[name];
  const adapt = ADAPTATIONS[name] ?? engineRequest;
  app.fast(at, async (c) => {
    const read = await readJson(c, schema, parts.settings.bodyLimitBytes);
    const { value } = read;
    const model = parts.catalog.get(value.model);
    if (name === "chat" && isLoadOnly(value)) return loadOrUnload(c, parts, { model, value });
    const request =
      translate === undefined
        ? { path, body: adapted(read, adapt) }
        : translatedRequest(c, value, translate({ ...withExactDigits(read), model: value.model }));
    const keepAliveMs = parseKeepAlive((value as Fields).keep_alive);
    return sendToModel(c, parts, { model, task, keepAliveMs, ...request });
  });
}

function addFormRoute(app: App, { path: at, route }: PlacedRoute, parts: InferenceParts): void {
  const { path, capability } = route;
  const task = taskOf(capability);
  app.post(at, async (c) => {
    const { bytes, model: name, texts } = await readModelForm(c, parts.settings.bodyLimitBytes);
    const model = name === undefined ? parts.catalog.only() : parts.catalog.get(name);
    engineRequest(texts); // An engine reads all of them as fields of a chat.
    return sendToModel(c, parts, { model, task, path, body: bytes });
  });
}

/** The same schema, for which a request need not name the model of a node that has just one. */
function withOnlyModel<T extends z.ZodType>(schema: T, catalog: Catalog) {
  return z.preprocess((json) => {
    const isNamed = (json as Fields).model !== undefined;
    return isNamed ? json : { ...(json as Fields), model: catalog.only().id };
  }, schema);
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
  c: Scope,
  { supervisor }: InferenceParts,
  { model, value }: { model: ServedModel; value: Fields },
): Promise<Response> {
  const keepAliveMs = parseKeepAlive(value.keep_alive);
  if (keepAliveMs === 0) await supervisor.unload(model.id);
  else {
    withoutIdleLimit(c);
    await supervisor.load(model, { keepAliveMs });
  }
  const message = { role: "assistant", content: "" };
  return Response.json({
    ...{ id: `chatcmpl-${crypto.randomUUID()}`, object: "chat.completion", model: model.id },
    created: Math.floor(Date.now() / 1000),
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  });
}

/** The translated request, whose answer is translated back. */
function translatedRequest(
  c: Scope,
  { model }: InferenceRequest,
  translation: Translation,
): EngineRequest {
  const { path, body } = translation;
  const dialect = dialectOf(c.req.path);
  const rewrite = new TranslationRewrite({
    translation,
    model,
    dialect,
    requestId: c.get("requestId"),
  });
  return { path, body: encode(body), rewrite };
}
