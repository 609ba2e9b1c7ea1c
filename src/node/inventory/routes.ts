import { STREAM_HEADERS } from "../../http/proxy/headers.ts";
import type { App } from "../../http/server/app.ts";
import { readJson } from "../../http/server/body.ts";
import { withoutIdleLimit } from "../../http/server/listen.ts";
import { decodedName } from "../../http/server/query.ts";
import type { AppContext } from "../../http/server/scope.ts";
import { isoTimeOrNull } from "../../lib/isotime.ts";
import type { ModelStore } from "../../storage/modelstore.ts";
import { ApiError } from "../../wire/error.ts";
import {
  type AssignedModel,
  type NodeModelList,
  type PullAnswer,
  PullBody,
} from "../../wire/sync.ts";
import type { HubSource } from "../sync/hubsource.ts";
import type { PullJob } from "../sync/pulljob.ts";
import { removeStoredModel } from "./removal.ts";
import { type InventoryParts, nodeModelViews } from "./view.ts";

export interface ModelRouteParts extends InventoryParts {
  store: ModelStore;
  /** The source of models that the balancer does not list. */
  hub: HubSource;
}

const BODY_BYTES_MAX = 64 * 1024;
/** The answer to a pull waits this long for its first failure, such as an unknown model. */
const FIRST_FAILURE_MS_MAX = 900;
const NDJSON = "application/x-ndjson";

/**
 * Adds the routes about a node's models under `/api/models` and the older `/v0/models`: list, pull,
 * remove. Slashes of ids in paths may be written as they are or as `%2F`.
 */
export function addModelRoutes(app: App, parts: ModelRouteParts): void {
  const { pulls, scanner } = parts;
  for (const root of ["/api/models", "/v0/models"]) {
    app.get(root, async (c) => {
      await scanner.scan();
      return c.json(listModels(parts));
    });
    app.post(`${root}/pull`, (c) => startPull(c, parts, root));
    app.get(`${root}/pulls`, (c) => {
      return c.json({ object: "list", data: pulls.list().map((job) => job.view()) });
    });
    app.get(`${root}/pulls/:id`, (c) => {
      const job = pulls.get(c.req.param("id"));
      if (job === undefined) throw pullNotFound(c.req.param("id"));
      return acceptsStream(c) ? progressStream(c, job) : c.json(job.view());
    });
    app.delete(`${root}/*`, async (c) => {
      if (c.req.path === root) return c.notFound(); // The pattern matches the list's path, too.
      const name = decodedName(c.req.path.slice(root.length + 1));
      withoutIdleLimit(c); // The requests of the model may take long to end.
      await removeStoredModel(name, parts, c.req.raw.signal);
      return c.body(null, 204);
    });
  }
}

function listModels(parts: ModelRouteParts): NodeModelList {
  const { sync } = parts;
  const data = nodeModelViews(parts);
  if (sync === undefined) {
    return { object: "list", data, sync: { state: "alone", last_at: null, error: null } };
  }
  const { lastAt, error } = sync.state;
  const isPulling = data.some(({ state }) => state === "waiting" || state === "pulling");
  const progress = isPulling || lastAt === null ? "syncing" : "in_sync";
  const state = error === null ? progress : "balancer_away";
  const last_at = isoTimeOrNull(lastAt);
  return { object: "list", data, sync: { state, last_at, error } };
}

/** Pulls the model that the body names, or all assigned models if it names none. */
async function startPull(c: AppContext, parts: ModelRouteParts, root: string): Promise<Response> {
  const body = await readOptionalBody(c);
  const { sync, scanner, pulls, hub } = parts;
  const name = body.model ?? body.name;
  if (name === undefined) {
    await scanner.scan();
    sync?.wake({ retry: true });
    const progress_url = `${root}/pulls`;
    const answer: PullAnswer = { status: "syncing", id: null, model: null, progress_url };
    return c.json(answer, 202, { location: progress_url });
  }
  const assigned = sync?.assigned(name);
  const source = assigned === undefined || sync === undefined ? hub : sync.source;
  const model = assigned === undefined ? name : registeredName(assigned, name);
  const job = pulls.start(model, "user", source);
  if (acceptsStream(c)) return progressStream(c, job);
  await Promise.race([job.filesKnown, Bun.sleep(FIRST_FAILURE_MS_MAX)]);
  if (job.failure !== undefined) throw job.failure;
  const progress_url = `${root}/pulls/${job.id}`;
  const answer = { status: "pulling", id: job.id, model: job.model, progress_url } as const;
  return c.json<PullAnswer>(answer, 202, { location: progress_url });
}

/** The balancer's name for an assigned model, or for the quantization of it that `name` has. */
function registeredName({ id, quantizations }: AssignedModel, name: string): string {
  const key = name.toLowerCase();
  const names = quantizations.map((quantization) => `${id}:${quantization}`);
  return names.find((one) => one.toLowerCase() === key) ?? id;
}

function acceptsStream(c: AppContext): boolean {
  return c.req.header("accept")?.includes(NDJSON) === true;
}

/** Sends the progress as lines of JSON until the pull ends. It goes on if the client leaves. */
function progressStream(c: AppContext, job: PullJob): Response {
  const cancelled = new AbortController();
  const lines = job.watch(AbortSignal.any([cancelled.signal, c.req.raw.signal]));
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await lines.next().catch(() => ({ done: true, value: undefined }) as const);
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`));
    },
    cancel: () => cancelled.abort(),
  });
  return new Response(stream, { headers: { ...STREAM_HEADERS, "content-type": NDJSON } });
}

/** The body of a pull; an empty object if the request has none. Throws as `readJson` does. */
async function readOptionalBody(c: AppContext): Promise<PullBody> {
  const { headers } = c.req.raw;
  const hasBody =
    Number(headers.get("content-length") ?? 0) > 0 || headers.has("transfer-encoding");
  return hasBody ? (await readJson(c, PullBody, BODY_BYTES_MAX)).value : {};
}

function pullNotFound(id: string): ApiError {
  const message = `There is no pull ${JSON.stringify(id.slice(0, 100))} among those that run \
and the last ones that ended.`;
  return new ApiError("not_found", message, { code: "pull_not_found" });
}
