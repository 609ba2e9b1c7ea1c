import type { App, AppContext } from "../http/app.ts";
import { ApiError } from "../wire/error.ts";
import type { ModelEntry, ModelList } from "../wire/openai.ts";
import type { NodeSystem } from "../wire/system.ts";
import type { Catalog, ServedModel } from "./catalog.ts";

export interface StatusParts {
  catalog: Catalog;
  /** Whether the node refuses new requests because it is about to end. */
  closing(): boolean;
  system(): Promise<NodeSystem>;
}

/** Adds what a node tells of itself: health, models, devices. None of it starts an engine. */
export function addStatusRoutes(app: App, { catalog, closing, system }: StatusParts): void {
  const createdS = Math.floor(Date.now() / 1000);
  const entry = ({ id }: ServedModel): ModelEntry => ({
    id,
    object: "model",
    created: createdS,
    owned_by: "llmlb",
  });

  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/startup", (c) => c.json({ status: "ready" }));
  app.get("/ready", (c) => {
    const status = closing() ? "draining" : "ready";
    return c.json({ status, models: catalog.list().length }, closing() ? 503 : 200);
  });

  app.get("/v1/models", (c) => {
    const list: ModelList = { object: "list", data: catalog.list().map(entry) };
    return c.json(list);
  });
  app.get("/v1/models/*", (c) => c.json(entry(catalog.get(idOf(c)))));

  for (const path of ["/v0/system", "/api/system"]) {
    app.get(path, async (c) => c.json(await system()));
  }
}

/** The model's id from the URL: its slashes may be written as they are or as %2F. */
function idOf(c: AppContext): string {
  const path = new URL(c.req.url).pathname.slice("/v1/models/".length);
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    const message = "The model's name in the URL could not be read: its % escapes are wrong.";
    throw new ApiError("invalid_request", message, { param: "model", cause });
  }
}
