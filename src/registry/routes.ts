import { z } from "zod";
import type { App } from "../http/server/app.ts";
import { readJson } from "../http/server/body.ts";
import { decodedName, encodedName, readQuery } from "../http/server/query.ts";
import type { AppContext } from "../http/server/scope.ts";
import { ApiError } from "../wire/error.ts";
import { PreviewBody } from "../wire/preview.ts";
import { ModelChangeBody, RegisterBody, type RegisteredList } from "../wire/registry.ts";
import { hubView } from "./modelview.ts";
import type { Registry } from "./registry.ts";

export interface RegistryRouteParts {
  registry: Registry;
  /** Names of all nodes: they decide where a model with a number of replicas goes. */
  nodes(): string[];
}

const BODY_BYTES_MAX = 1024 * 1024;
const MANIFEST = "/manifest.json";
const LIMIT_MAX = 10_000;

const Count = z.coerce.number().pipe(z.int().min(0).max(LIMIT_MAX));

export const RegisteredQuery = z.object({
  /** Part of the id, an alias, the description or a tag, in any case. */
  search: z.string().max(256).optional(),
  /** Tags, separated by commas: all of them must be there. */
  tags: z.string().max(256).optional(),
  source: z.enum(["hf_gguf", "hf_safetensors"]).optional(),
  limit: Count.optional(),
  offset: Count.default(0),
  /** Name of a node: the models that it shall have. */
  node: z.string().max(256).optional(),
});

/**
 * The registered models under `/api/models` and the older `/v0/models`. Ids in paths may have their
 * slashes as they are or percent-encoded.
 */
export function routeRegistry(app: App, { registry, nodes }: RegistryRouteParts): void {
  async function register(c: AppContext) {
    const { value } = await readJson(c, RegisterBody, BODY_BYTES_MAX);
    const registered = await registry.register(value, c.req.raw.signal);
    return c.json(registered, 201, { location: `/api/models/${encodedName(registered.id)}` });
  }

  for (const base of ["/api/models", "/v0/models"]) {
    const named = (c: AppContext, skip = "/", end = "") => {
      const path = c.req.path.slice(base.length + skip.length);
      return decodedName(path.slice(0, path.length - end.length));
    };
    app.get(base, (c) => c.json(listed(registry, nodes, readQuery(c, RegisteredQuery))));
    app.post(`${base}/register`, register);
    app.post(`${base}/preview`, async (c) => {
      const { value } = await readJson(c, PreviewBody, BODY_BYTES_MAX);
      return c.json(await registry.preview(value, c.req.raw.signal));
    });
    app.get(`${base}/hub`, (c) => {
      return c.json(registry.rows().map((row) => hubView(row, registry.isReady(row.id))));
    });
    app.get(`${base}/registry/*`, async (c) => {
      if (!c.req.path.endsWith(MANIFEST)) throw noManifest(c.req.path);
      const name = named(c, "/registry/", MANIFEST);
      return c.json(await registry.manifest(name, c.req.raw.signal));
    });
    app.get(`${base}/*`, (c) => c.json(registry.detail(named(c))));
    // The pattern matches the path of the list, too, which cannot be changed.
    app.patch(`${base}/*`, async (c) => {
      if (c.req.path === base) return c.notFound();
      const { value } = await readJson(c, ModelChangeBody, BODY_BYTES_MAX);
      return c.json(await registry.change(named(c), value));
    });
    app.delete(`${base}/*`, async (c) => {
      if (c.req.path === base) return c.notFound();
      await registry.remove(named(c));
      return c.body(null, 204);
    });
  }
}

function listed(
  registry: Registry,
  nodes: () => string[],
  { search, tags, source, limit, offset, node }: z.infer<typeof RegisteredQuery>,
): RegisteredList {
  const part = search?.toLowerCase() ?? "";
  const wanted = tags?.split(",").map((tag) => tag.trim().toLowerCase()) ?? [];
  const assigned =
    node === undefined
      ? undefined
      : new Set(registry.assignedTo(node, nodes()).map(({ id }) => id));
  const all = registry.list();
  const found = all.filter((model) => {
    if (assigned !== undefined && !assigned.has(model.id)) return false;
    if (source !== undefined && model.source !== source) return false;
    const own = model.tags.map((tag) => tag.toLowerCase());
    if (!wanted.every((tag) => own.includes(tag))) return false;
    const texts = [model.id, model.description, ...model.aliases, ...model.tags];
    return texts.some((text) => text.toLowerCase().includes(part));
  });
  const data = found.slice(offset, limit === undefined ? undefined : offset + limit);
  const isWhole = part === "" && wanted.length === 0 && source === undefined;
  const complete = isWhole && data.length === found.length;
  return { object: "list", data, total: found.length, complete, revision: registry.revision };
}

function noManifest(path: string): ApiError {
  const message = `Unknown route: GET ${path}. A manifest is at …/registry/{model}/manifest.json.`;
  return new ApiError("not_found", message, { code: "unknown_route" });
}
