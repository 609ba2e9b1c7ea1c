import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { App } from "../http/server/app.ts";
import { readJson } from "../http/server/body.ts";
import type { AppContext } from "../http/server/scope.ts";
import { refuseHostSettings, wrongSettings } from "../registry/settingschange.ts";
import { parseKeepAlive } from "../wire/keepalive.ts";
import { LoadBody, ResidencyBody } from "../wire/residency.ts";
import { type RunSettings, settingArguments, withFiles } from "../wire/runsettings.ts";
import type { NodeModel } from "../wire/system.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";

export interface ResidencyParts {
  catalog: Catalog;
  supervisor: Supervisor;
  /** The model as `GET /api/system` has it. */
  entry(model: ServedModel): NodeModel;
  /** Why engines would refuse llama-server's arguments; undefined: they would not. */
  argumentFault(args: string[]): Promise<string | undefined>;
}

/** What llama-server's own router is asked; other fields are of no use here. */
const RouterBody = ResidencyBody.loose();

const BODY_BYTES_MAX = 64 * 1024;

/**
 * Adds the routes that say which models are loaded: load, unload, pin, unpin. Their answer is the
 * model as `GET /api/system` has it. llama-server's router has two of them under other paths.
 */
export function addResidencyRoutes(app: App, parts: ResidencyParts): void {
  const { catalog, supervisor, entry } = parts;
  const named = async (c: AppContext) => {
    const { value } = await readJson(c, ResidencyBody, BODY_BYTES_MAX);
    return catalog.get(value.model);
  };
  app.post("/api/models/load", async (c) => {
    const { value } = await readJson(c, LoadBody, BODY_BYTES_MAX);
    const model = catalog.get(value.model);
    const { settings } = value;
    if (settings !== undefined) await checkSettings(model, settings, parts);
    const keepAliveMs = parseKeepAlive(value.keep_alive);
    await supervisor.load(model, { keepAliveMs, settings });
    return c.json(entry(model));
  });
  app.post("/api/models/unload", async (c) => {
    const model = await named(c);
    await supervisor.unload(model.id);
    return c.json(entry(model));
  });
  app.post("/api/models/pin", async (c) => {
    const model = await named(c);
    await supervisor.load(model);
    supervisor.pin(model, true);
    return c.json(entry(model));
  });
  app.post("/api/models/unpin", async (c) => {
    const model = await named(c);
    supervisor.pin(model, false);
    return c.json(entry(model));
  });
  app.post("/models/load", async (c) => {
    const { value } = await readJson(c, RouterBody, BODY_BYTES_MAX);
    await supervisor.load(catalog.get(value.model));
    return c.json({ success: true });
  });
  app.post("/models/unload", async (c) => {
    const { value } = await readJson(c, RouterBody, BODY_BYTES_MAX);
    await supervisor.unload(catalog.get(value.model).id);
    return c.json({ success: true });
  });
}

/** Throws 400 for settings that a load cannot set, before anything is loaded. */
async function checkSettings(
  model: ServedModel,
  settings: RunSettings,
  { argumentFault }: ResidencyParts,
): Promise<void> {
  refuseHostSettings(settings);
  const { path } = await model.locate();
  const resolved = withFiles(settings, (file) => {
    const beside = join(dirname(path), file);
    if (existsSync(beside)) return beside;
    throw wrongSettings(`there is no file ${file} beside the model's own`);
  });
  const problem = await argumentFault(settingArguments(resolved));
  if (problem !== undefined) throw wrongSettings(problem);
}
