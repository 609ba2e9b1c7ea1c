import { type ZodType, z } from "zod";
import { ENDPOINT_SHAPE, type EndpointSetting, readEndpoint } from "./endpoint.ts";
import { listOf, listOrNamed } from "./schema.ts";

/** A node that lends its devices: what it is called by, where it is, and its key. */
export type WorkerSetting = Omit<EndpointSetting, "models">;

/** A list of workers: `[name=]url` or an object each; or an object with the objects by names. */
export function workerList(): ZodType<WorkerSetting[]> {
  const list = listOf<WorkerSetting>(readWorker, workerConflict, ENDPOINT_SHAPE);
  return z
    .preprocess((given) => {
      if (!isObject(given) || typeof given.url === "string") return given;
      return Object.entries(given).map(([name, value]) =>
        isObject(value) ? { ...value, name } : `${name}=${String(value)}`,
      );
    }, list)
    .meta({ shape: listOrNamed(list) });
}

function readWorker(value: unknown): WorkerSetting | string {
  const read = readEndpoint(value);
  if (typeof read === "string" || read.models === undefined) return read;
  return "models: a worker has none of its own here; they are settings of models (workers)";
}

function workerConflict(workers: WorkerSetting[]): string | undefined {
  const seen = new Set<string>();
  for (const { name } of workers) {
    if (seen.has(name)) return `two workers are named "${name}": name one with name=URL`;
    seen.add(name);
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
