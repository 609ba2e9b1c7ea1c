import { z } from "zod";
import type { App } from "../http/server/app.ts";
import { readJson, readJsonList } from "../http/server/body.ts";
import type { AppContext } from "../http/server/scope.ts";
import { ApiError } from "../wire/error.ts";
import { InferenceRequest } from "../wire/openai.ts";
import { adapted, askEngine, encode, type InferenceParts, sendToModel } from "./exchange.ts";
import {
  type Adaptation,
  engineChat,
  engineCompletion,
  engineRequest,
} from "./llamacpp/enginebody.ts";
import type { ServedModel } from "./models/catalog.ts";
import type { EngineTask } from "./supervisor/task.ts";

interface NativeRoute {
  /** What the engine must be for; undefined: any engine of the model. */
  task: EngineTask | undefined;
  adapt: Adaptation;
  /** The engine's path, where it is another one. */
  path?: string;
}

const COMPLETION = { task: "generate", adapt: engineCompletion } as const;
const EMBEDDING = { task: "embed", adapt: engineRequest } as const;
const COUNT: NativeRoute = {
  task: "generate",
  adapt: engineChat,
  path: "/v1/chat/completions/input_tokens",
};

/** llama-server's own POST routes with a JSON object. Source: its README (llama.cpp v0.5.0). */
const JSON_ROUTES: Record<string, NativeRoute> = {
  "/completion": COMPLETION,
  "/completions": COMPLETION,
  "/infill": COMPLETION,
  "/embedding": EMBEDDING,
  "/embeddings": EMBEDDING,
  "/apply-template": { task: "generate", adapt: engineChat },
  "/v1/chat/completions/input_tokens": COUNT,
  "/chat/completions/input_tokens": COUNT,
  "/v1/chat/completions/control": { task: "generate", adapt: engineRequest },
  "/tokenize": { task: undefined, adapt: engineRequest },
  "/detokenize": { task: undefined, adapt: engineRequest },
  "/props": { task: undefined, adapt: engineRequest },
};

/** A request of these need not name the model of a node that has just one. */
const NativeRequest = z.looseObject({ model: InferenceRequest.shape.model.optional() });

/** The scales of LoRA adapters by their number, and 0 for all others. */
const Adapters = z.array(z.looseObject({ id: z.int().min(0), scale: z.number() })).max(64);

const ADAPTERS_BYTES_MAX = 64 * 1024;

const SLOT_ACTIONS = ["save", "restore", "erase"];

/**
 * llama-server's own GET routes. They need a loaded model and do not load it: browsers let any page
 * send a GET, and a load takes all memory there is.
 */
const WATCH_ROUTES = ["/slots", "/props", "/lora-adapters"];

/** Adds llama-server's own routes, each for the engine of the model that it names. */
export function addNativeRoutes(app: App, parts: InferenceParts): void {
  const { settings } = parts;
  for (const [at, { task, adapt, path = at }] of Object.entries(JSON_ROUTES)) {
    app.post(at, async (c) => {
      const read = await readJson(c, NativeRequest, settings.bodyLimitBytes);
      const model = modelOf(c, parts, read.value.model);
      return sendToModel(c, parts, { model, task, path, body: adapted(read, adapt) });
    });
  }
  app.post("/lora-adapters", async (c) => {
    const adapters = await readJsonList(
      c,
      Adapters,
      Math.min(settings.bodyLimitBytes, ADAPTERS_BYTES_MAX),
    );
    const request = { path: "/lora-adapters", body: encode(adapters) };
    return sendToModel(c, parts, { model: modelOf(c, parts), task: "generate", ...request });
  });
  app.post("/slots/:id_slot", async (c) => {
    const path = `/slots/${slotOf(c)}`;
    const hasBody = c.req.raw.body !== null && c.req.header("content-length") !== "0";
    const read = hasBody ? await readJson(c, NativeRequest, settings.bodyLimitBytes) : undefined;
    const model = modelOf(c, parts, read?.value.model);
    const body = read?.bytes ?? encode({});
    return sendToModel(c, parts, { model, task: "generate", path, body });
  });
  for (const path of WATCH_ROUTES) app.get(path, (c) => watchEngine(c, parts, path));
  app.get("/metrics", (c) => {
    const isOfEngine = c.req.query("model") !== undefined;
    return isOfEngine ? watchEngine(c, parts, "/metrics") : showMetrics(parts);
  });
}

/** The metrics of the node itself; with `?model=` they are llama.cpp's of that model's engine. */
async function showMetrics({ metrics }: InferenceParts): Promise<Response> {
  const headers = { "content-type": metrics.contentType, "cache-control": "no-store" };
  return new Response(await metrics.text(), { headers });
}

/**
 * Answers what llama.cpp tells of the model that the query names. Throws 503 `model_not_loaded`
 * while it is not loaded.
 */
function watchEngine(c: AppContext, parts: InferenceParts, path: string) {
  const { id } = modelOf(c, parts);
  const engine = parts.supervisor.loadedEngine(id);
  if (engine !== undefined) return askEngine(c, parts, { engine, path, body: null });
  const message = `GET ${path} of ${id} is not possible now: the model is not loaded. Its first \
request loads it.`;
  throw new ApiError("model_not_loaded", message, { param: "model" });
}

/** The model that the body names, else the query; where neither does, the only one there is. */
function modelOf(c: AppContext, { catalog }: InferenceParts, inBody?: string): ServedModel {
  const name = inBody ?? c.req.query("model");
  return name === undefined ? catalog.only() : catalog.get(name);
}

/** The number of the slot that a request is about. Throws if it has none, or asks for nothing. */
function slotOf(c: AppContext): number {
  const text = c.req.param("id_slot") ?? "";
  if (!/^\d{1,6}$/.test(text)) {
    const message = `There is no slot ${JSON.stringify(text.slice(0, 50))}: GET /slots lists them.`;
    throw new ApiError("not_found", message);
  }
  if (SLOT_ACTIONS.includes(c.req.query("action") ?? "")) return Number(text);
  const message = `The request is invalid: \`action\` must be ${SLOT_ACTIONS.join(", ")}, as in \
POST /slots/0?action=save.`;
  throw new ApiError("invalid_request", message, { param: "action" });
}
