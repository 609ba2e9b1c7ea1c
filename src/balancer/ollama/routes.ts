import { VERSION } from "../../config/version.ts";
import type { App } from "../../http/server/app.ts";
import { readJson } from "../../http/server/body.ts";
import { ApiError } from "../../wire/error.ts";
import { OllamaShowRequest } from "../../wire/ollama.ts";
import type { ModelView } from "../admin/models/view.ts";
import { modelNotFound } from "../inference/errors.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { capabilitiesOf, contextLength, describe } from "./model.ts";

export interface OllamaOptions {
  pool: UpstreamPool;
  /** The models that clients are told of, as `GET /v1/models` lists them. */
  listed(): Pick<ModelView, "id" | "ready">[];
}

/** The release of Ollama whose API this is; clients look at it before they use what is newer. */
export const OLLAMA_VERSION = "0.13.0";

/** Whatever is loaded stays so as long as its endpoint likes; clients show this as "forever". */
const NEVER = "9999-12-31T23:59:59Z";

const BODY_BYTES_MAX = 64 * 1024;

/**
 * What Ollama's clients ask besides `/api/chat` and its like: which models there are, what they
 * can do, which are loaded, what version this is. Managing models is not done this way: 501.
 */
export function routeOllama(app: App, { pool, listed }: OllamaOptions): void {
  app.get("/", function showRoot(c) {
    // Clients look for these words; people get to see who it really is.
    const isPerson = c.req.header("accept")?.includes("text/html") === true;
    return c.text(isPerson ? "llmlb is running. See GET /v1/models." : "Ollama is running");
  });

  app.get("/api/version", function showVersion(c) {
    return c.json({ version: OLLAMA_VERSION, llmlb_version: VERSION });
  });

  app.get("/api/tags", function listModels(c) {
    const models = listed().filter(({ ready }) => ready);
    return c.json({ models: models.map(({ id }) => describe(pool, id)) });
  });

  app.get("/api/ps", function listLoaded(c) {
    const models = listed().filter(({ id }) => {
      return pool.serving(id).some((endpoint) => isOnline(endpoint) && hasLoaded(endpoint, id));
    });
    const loaded = models.map(({ id }) => ({
      ...describe(pool, id),
      ...{ expires_at: NEVER, size_vram: 0, context_length: contextLength(pool, id) },
    }));
    return c.json({ models: loaded });
  });

  app.post("/api/show", async function showModel(c) {
    const { value } = await readJson(c, OllamaShowRequest, BODY_BYTES_MAX);
    const id = pool.idOf(value.model);
    if (pool.serving(id).length === 0) throw modelNotFound(value.model);
    const { details, modified_at } = describe(pool, id);
    const context = contextLength(pool, id);
    return c.json({
      ...{ license: "", modelfile: "", parameters: "", template: "", system: "", messages: [] },
      ...{ details, modified_at, capabilities: capabilitiesOf(pool, id) },
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

function isOnline({ health }: Endpoint): boolean {
  return health.status === "online";
}

/** Our nodes say what is loaded; these servers begin with loading; of others nobody knows. */
function hasLoaded(endpoint: Endpoint, id: string): boolean {
  const { kind } = endpoint.facts;
  const { readyModels } = endpoint;
  if (readyModels !== undefined) return readyModels.has(endpoint.served.get(id) ?? id);
  return kind === "llama_server" || kind === "vllm";
}
