import type { App, AppContext } from "../http/server/app.ts";
import { capabilitiesObject } from "../wire/capability.ts";
import { ApiError } from "../wire/error.ts";
import type { ModelEntry, ModelList } from "../wire/openai.ts";
import type { NodeSystem } from "../wire/system.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import { abilitiesOf } from "./supervisor/purpose.ts";

export interface StatusParts {
  catalog: Catalog;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
  /** Whether the node refuses new requests because it is about to end. */
  closing(): boolean;
  /** Whether it has still to hear which models it shall have. */
  syncing(): boolean;
  system(): Promise<NodeSystem>;
}

/** Adds what a node tells of itself: health, models, devices. None of it starts an engine. */
export function addStatusRoutes(app: App, parts: StatusParts): void {
  const { catalog, engineArgs, closing, syncing, system } = parts;
  const created = Math.floor(Date.now() / 1000);
  const entry = async (id: string, model: ServedModel): Promise<ModelEntry> => ({
    ...{ id, object: "model", created, owned_by: "llmlb" },
    ...(await capabilitiesOf(model, engineArgs)),
  });

  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/startup", (c) => {
    return syncing() ? c.json({ status: "syncing" }, 503) : c.json({ status: "ready" });
  });
  app.get("/ready", (c) => {
    const status = closing() ? "draining" : syncing() ? "syncing" : "ready";
    return c.json({ status, models: catalog.list().length }, status === "ready" ? 200 : 503);
  });

  app.get("/v1/models", async (c) => {
    const data = await Promise.all(catalog.listed().map(({ name, model }) => entry(name, model)));
    const list: ModelList = { object: "list", data };
    return c.json(list);
  });
  app.get("/v1/models/*", async (c) => {
    const name = idOf(c);
    return c.json(await entry(name, catalog.get(name)));
  });

  for (const path of ["/v0/system", "/api/system"]) {
    app.get(path, async (c) => c.json(await system()));
  }
}

/** Nothing of a model whose files are not there: requests for it tell why. */
async function capabilitiesOf(model: ServedModel, engineArgs: string[]) {
  const files = await model.locate().catch(() => undefined);
  const abilities = files === undefined ? undefined : abilitiesOf(files, engineArgs);
  return abilities === undefined ? {} : { capabilities: capabilitiesObject(abilities) };
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
