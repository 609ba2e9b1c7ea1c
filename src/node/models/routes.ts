import type { App, AppContext } from "../../http/server/app.ts";
import { readJson } from "../../http/server/body.ts";
import { withoutIdleLimit } from "../../http/server/listen.ts";
import { decodedName } from "../../http/server/query.ts";
import { parseModelName } from "../../model/name.ts";
import type { Store } from "../../storage/store.ts";
import { ApiError } from "../../wire/error.ts";
import {
  type NodeModelList,
  PullBody,
  type PullStarted,
  type WantedModel,
} from "../../wire/sync.ts";
import type { PullJob } from "../sync/job.ts";
import type { HubSource } from "../sync/source.ts";
import { type ModelParts, modelViews } from "./view.ts";

export interface ModelRouteParts extends ModelParts {
  store: Store;
  /** For models that no balancer told of. */
  hub: HubSource;
}

const BODY_BYTES_MAX = 64 * 1024;
/** Whether a model can be pulled is said within a second, if it is known by then. */
const KNOWN_MS_MAX = 900;
const NDJSON = "application/x-ndjson";

/**
 * The models of a node under `/api/models` and the older `/v0/models`: what there is, fetching,
 * removing. Ids in paths may have their slashes as they are or percent-encoded.
 */
export function addModelRoutes(app: App, parts: ModelRouteParts): void {
  const { pulls, shelf } = parts;
  for (const root of ["/api/models", "/v0/models"]) {
    app.get(root, async (c) => {
      await shelf.scan();
      return c.json(listOf(parts));
    });
    app.post(`${root}/pull`, (c) => startPull(c, parts, root));
    app.get(`${root}/pulls`, (c) => {
      return c.json({ object: "list", data: pulls.list().map((job) => job.view()) });
    });
    app.get(`${root}/pulls/:id`, (c) => {
      const job = pulls.get(c.req.param("id"));
      if (job === undefined) throw noPull(c.req.param("id"));
      return c.req.header("accept")?.includes(NDJSON) === true
        ? progressStream(c, job)
        : c.json(job.view());
    });
    app.delete(`${root}/*`, async (c) => {
      if (c.req.path === root) return c.notFound(); // The pattern covers the list, too.
      const name = decodedName(c.req.path.slice(root.length + 1));
      withoutIdleLimit(c); // Its requests may take long to end.
      await remove(name, parts, c.req.raw.signal);
      return c.body(null, 204);
    });
  }
}

function listOf(parts: ModelRouteParts): NodeModelList {
  const { sync } = parts;
  const data = modelViews(parts);
  if (sync === undefined) {
    return { object: "list", data, sync: { state: "alone", last_at: null, error: null } };
  }
  const { lastAt, error } = sync.state;
  const isBusy = data.some(({ state }) => state === "waiting" || state === "pulling");
  const calm = isBusy || lastAt === null ? "syncing" : "in_sync";
  const state = error === null ? calm : "balancer_away";
  const last_at = lastAt === null ? null : new Date(lastAt).toISOString();
  return { object: "list", data, sync: { state, last_at, error } };
}

/** Fetches the model that is named, or all that the node shall have. */
async function startPull(c: AppContext, parts: ModelRouteParts, root: string): Promise<Response> {
  const { model, name } = await bodyOf(c);
  const { sync, shelf, pulls, hub } = parts;
  const wish = model ?? name;
  if (wish === undefined) {
    await shelf.scan();
    sync?.ring({ afresh: true });
    const progress_url = `${root}/pulls`;
    const started: PullStarted = { status: "syncing", id: null, model: null, progress_url };
    return c.json(started, 202, { location: progress_url });
  }
  const wanted = sync?.wanted(wish);
  if (wanted === undefined) hub.check(wish);
  const source = wanted === undefined || sync === undefined ? hub : sync.source;
  const job = pulls.start(wanted === undefined ? wish : listedAs(wanted, wish), "user", source);
  if (c.req.header("accept")?.includes(NDJSON) === true) return progressStream(c, job);
  await Promise.race([job.known, Bun.sleep(KNOWN_MS_MAX)]);
  if (job.failure !== undefined) throw job.failure;
  const progress_url = `${root}/pulls/${job.id}`;
  const started = { status: "pulling", id: job.id, model: job.model, progress_url } as const;
  return c.json<PullStarted>(started, 202, { location: progress_url });
}

/** What a wanted model, or one of its quantizations, is called by the balancer. */
function listedAs({ id, quantizations }: WantedModel, wish: string): string {
  const all = quantizations.map((one) => `${id}:${one}`);
  return all.find((name) => name.toLowerCase() === wish.toLowerCase()) ?? id;
}

/** A line of JSON whenever something is known; a client that leaves does not end the pull. */
function progressStream(c: AppContext, job: PullJob): Response {
  const left = new AbortController();
  const lines = job.watch(AbortSignal.any([left.signal, c.req.raw.signal]));
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await lines.next().catch(() => ({ done: true, value: undefined }) as const);
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`));
    },
    cancel: () => left.abort(),
  });
  return new Response(stream, { headers: { "content-type": NDJSON, "cache-control": "no-store" } });
}

/**
 * Removes a model or one quantization of it, whoever placed it, once its requests have ended.
 * Throws 400, 404 and 409.
 */
async function remove(name: string, parts: ModelRouteParts, signal: AbortSignal): Promise<void> {
  const { shelf, store, catalog } = parts;
  const { id, quantization } = parseModelName(name);
  await endPull(id, quantization, parts);
  const place = await store.place(id);
  if (place === undefined) {
    throw catalog.has(id) ? ofSettings(id) : notHere(name, "there is none of that name");
  }
  if (quantization === undefined) {
    await shelf.without(place.id, () => store.remove(place.id));
    return;
  }
  const removed = await shelf.without(`${place.id}:${quantization}`, () =>
    store.removeOne(place.id, quantization, signal),
  );
  if (!removed) throw notHere(name, `${place.id} has no files with that quantization`);
}

/** Ends the pull of what is going to be removed; that of another quantization goes on. */
async function endPull(
  id: string,
  quantization: string | undefined,
  { pulls }: ModelRouteParts,
): Promise<void> {
  const name = quantization === undefined ? id : `${id}:${quantization}`;
  const job = pulls.bringing(name);
  if (job === undefined) return;
  const message = `The pull of ${id} was ended: the model is being removed.`;
  job.stop.abort(new ApiError("unavailable", message, { code: "pull_cancelled" }));
  await job.ended;
}

function ofSettings(id: string): ApiError {
  const message = `Removing ${id} failed: the settings name it, not the models folder.`;
  return new ApiError("conflict", message, { code: "model_of_settings", param: "model" });
}

function notHere(name: string, why: string): ApiError {
  const message = `Removing ${name} failed: ${why}. See GET /api/models.`;
  return new ApiError("model_not_found", message, { param: "model" });
}

/** A body that may be absent. Throws as `readJson` does. */
async function bodyOf(c: AppContext): Promise<PullBody> {
  const { headers } = c.req.raw;
  const isThere =
    Number(headers.get("content-length") ?? 0) > 0 || headers.has("transfer-encoding");
  return isThere ? (await readJson(c, PullBody, BODY_BYTES_MAX)).value : {};
}

function noPull(id: string): ApiError {
  const message = `There is no pull ${JSON.stringify(id.slice(0, 100))}: GET /api/models/pulls \
lists those that run and the last ones that ended.`;
  return new ApiError("not_found", message, { code: "pull_not_found" });
}
