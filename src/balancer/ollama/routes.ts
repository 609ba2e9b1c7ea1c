import { VERSION } from "../../config/version.ts";
import type { App } from "../../http/server/app.ts";
import { readJson } from "../../http/server/body.ts";
import { wantsPage } from "../../http/server/browserheaders.ts";
import { sendList } from "../../http/server/jsonlist.ts";
import { ApiError } from "../../wire/error.ts";
import { OllamaShowRequest } from "../../wire/ollama.ts";
import type { ModelListItem } from "../admin/models/listing.ts";
import type { ModelView } from "../admin/models/view.ts";
import { isVisibleTo, visibleTo } from "../admin/models/visible.ts";
import { modelNotFound } from "../inference/errors.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { contextLength, ollamaCapabilities, ollamaModelOf } from "./model.ts";

export interface OllamaRouteParts {
  pool: UpstreamPool;
  /** The models that `GET /v1/models` lists. */
  models(): ModelListItem<Pick<ModelView, "ready">>[];
  /** Learns anew what the endpoints have loaded. */
  refresh(): Promise<void>;
}

/** The release of Ollama whose API this is. Clients use newer features by it. */
export const OLLAMA_VERSION = "0.13.0";

/** When a loaded model is unloaded, if that is not known. Clients show this date as "forever". */
const NEVER = "9999-12-31T23:59:59Z";

const BODY_BYTES_MAX = 64 * 1024;

/**
 * The routes of Ollama's API besides inference: the models, their capabilities, the loaded ones,
 * the version. Routes that manage models answer 501.
 */
export function routeOllama(app: App, { pool, models, refresh }: OllamaRouteParts): void {
  app.get("/", function showRoot(c) {
    c.header("vary", "accept");
    // Ollama's clients look for these words.
    return wantsPage(c.req.raw) ? c.redirect("/dashboard") : c.text("Ollama is running");
  });

  app.get("/api/version", function showVersion(c) {
    return c.json({ version: OLLAMA_VERSION, llmlb_version: VERSION });
  });

  app.get("/api/tags", function listModels(c) {
    const view = (model: ReturnType<typeof models>[number]) =>
      model.view().ready ? ollamaModelOf(pool, model.id) : undefined;
    return sendList(c, { name: "models", items: visibleTo(c, pool, models()), view });
  });

  app.get("/api/ps", async function listLoaded(c) {
    await refresh();
    const view = ({ id }: { id: string }) => {
      const having = pool.serving(id).filter((one) => isOnline(one) && hasLoaded(one, id));
      if (having.length === 0) return undefined;
      const details = having.map(({ warmth }) => warmth.detailOf(id));
      const [expires_at = NEVER] = details.map(({ expiresAt = NEVER }) => expiresAt).sort(later);
      const size = Math.max(...details.map(({ bytes = 0 }) => bytes));
      const model = ollamaModelOf(pool, id);
      const loaded = { expires_at, size_vram: 0, context_length: contextLength(pool, id) };
      return { ...model, ...(size > 0 ? { size } : {}), ...loaded };
    };
    return sendList(c, { name: "models", items: visibleTo(c, pool, models()), view });
  });

  app.post("/api/show", async function showModel(c) {
    const { value } = await readJson(c, OllamaShowRequest, BODY_BYTES_MAX);
    const id = pool.idOf(value.model);
    const isKnown = pool.serving(id).length > 0 && isVisibleTo(c, pool, id);
    if (!isKnown) throw modelNotFound(value.model);
    const { details, modified_at } = ollamaModelOf(pool, id);
    const context = contextLength(pool, id);
    return c.json({
      ...{ license: "", modelfile: "", parameters: "", template: "", system: "", messages: [] },
      ...{ details, modified_at, capabilities: ollamaCapabilities(pool, id) },
      model_info: {
        "general.architecture": "llmlb",
        "general.name": id,
        ...(context === 0 ? {} : { "llmlb.context_length": context }),
      },
    });
  });

  for (const name of ["pull", "push", "create", "copy", "blobs/:digest"]) {
    app.post(`/api/${name}`, refuse);
  }
  app.delete("/api/delete", refuse);
}

function refuse(): never {
  const message = `Models are not managed through Ollama's API here: register them with \
\`llmlb model\` or POST /api/models/register, or use the Ollama server that has them.`;
  throw new ApiError("not_implemented", message, { code: "unsupported_route" });
}

/** Of several endpoints, the one that keeps a model longest. */
function later(a: string, b: string): number {
  return Date.parse(b) - Date.parse(a);
}

function isOnline({ health }: Endpoint): boolean {
  return health.status === "online";
}

/** Nodes list what is loaded; others load at their start, or nobody knows. */
function hasLoaded(endpoint: Endpoint, id: string): boolean {
  const { kind } = endpoint.facts;
  const state = endpoint.warmth.stateOf(id);
  if (state !== "unknown") return state === "loaded";
  return kind === "llama_server" || kind === "vllm" || kind === "sglang";
}
