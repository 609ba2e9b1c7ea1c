import type { App } from "../http/server/app.ts";
import type { AppContext } from "../http/server/scope.ts";
import { capabilitiesObject } from "../wire/capability.ts";
import { ApiError } from "../wire/error.ts";
import type { ModelEntry, ModelList } from "../wire/openai.ts";
import type { NodeReadiness, NodeSystem } from "../wire/system.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import { modelCapabilities } from "./supervisor/task.ts";

export interface StatusParts {
  catalog: Catalog;
  /** The llama-server arguments of a model. */
  argsOf(model: ServedModel): string[];
  readiness(): NodeReadiness;
  system(): Promise<NodeSystem>;
}

/** Adds the routes about a node's own state: health, models, devices. They start no engines. */
export function addStatusRoutes(app: App, parts: StatusParts): void {
  const { catalog, argsOf, readiness, system } = parts;
  const created = Math.floor(Date.now() / 1000);
  const entry = async (id: string, model: ServedModel): Promise<ModelEntry> => ({
    ...{ id, object: "model", created, owned_by: "llmlb" },
    ...(await capabilitiesField(model, argsOf(model))),
  });

  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/startup", (c) => {
    const isSyncing = readiness().status === "syncing";
    return isSyncing ? c.json({ status: "syncing" }, 503) : c.json({ status: "ready" });
  });
  app.get("/ready", (c) => {
    const state = readiness();
    const models = catalog.list().length;
    return c.json({ ...state, models }, state.status === "ready" ? 200 : 503);
  });

  app.get("/v1/models", async (c) => {
    const data = await Promise.all(
      catalog.listedNames().map(({ name, model }) => entry(name, model)),
    );
    const list: ModelList = { object: "list", data };
    return c.json(list);
  });
  app.get("/v1/models/*", async (c) => {
    const name = nameOf(c);
    return c.json(await entry(name, catalog.get(name)));
  });

  for (const path of ["/v0/system", "/api/system"]) {
    app.get(path, async (c) => c.json(await system()));
  }
}

/** The field `capabilities`, absent if the model's files are missing: its requests explain that. */
async function capabilitiesField(model: ServedModel, engineArgs: string[]) {
  const files = await model.locate().catch(() => undefined);
  const list = files === undefined ? undefined : modelCapabilities(files, engineArgs);
  return list === undefined ? {} : { capabilities: capabilitiesObject(list) };
}

/** The model's name in the URL. Its slashes may be written as they are or as %2F. */
function nameOf(c: AppContext): string {
  const path = new URL(c.req.url).pathname.slice("/v1/models/".length);
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    const message = "The model's name in the URL could not be read: its % escapes are wrong.";
    throw new ApiError("invalid_request", message, { param: "model", cause });
  }
}
