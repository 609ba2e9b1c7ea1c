import { parseModelName } from "../../model/name.ts";
import type { ModelStore } from "../../storage/modelstore.ts";
import { ApiError } from "../../wire/error.ts";
import type { Pulls } from "../sync/pulls.ts";
import type { InventoryParts } from "./view.ts";

export interface RemovalParts extends Pick<InventoryParts, "catalog" | "scanner" | "pulls"> {
  store: ModelStore;
}

/**
 * Removes a model, or one quantization of it (`id:QUANT`), once its requests have ended; whoever
 * placed it. Throws 400 for an invalid name, 404 if it is not here, 409 if the settings name it.
 */
export async function removeStoredModel(
  name: string,
  { catalog, scanner, pulls, store }: RemovalParts,
  signal: AbortSignal,
): Promise<void> {
  const { id, quantization } = parseModelName(name);
  const ended = await endPulls(id, quantization, pulls);
  const place = await store.modelFolder(id);
  if (place === undefined && ended > 0) return;
  const key = id.toLowerCase();
  if (place === undefined && scanner.models.some(({ model }) => model.id.toLowerCase() === key)) {
    throw foreignError(name);
  }
  if (place === undefined) {
    throw catalog.has(id) ? configuredError(id) : notFound(name, "there is none of that name");
  }
  if (quantization === undefined) {
    await scanner.withdraw(place.id, () => store.remove(place.id));
    return;
  }
  const isRemoved = await scanner.withdraw(`${place.id}:${quantization}`, () =>
    store.removeQuantization(place.id, quantization, signal),
  );
  if (!isRemoved) throw notFound(name, `${place.id} has no files with that quantization`);
}

/** Ends all pulls of the model, not those of another quantization; returns how many there were. */
async function endPulls(
  id: string,
  quantization: string | undefined,
  pulls: Pulls,
): Promise<number> {
  const jobs = pulls.pullsFor(quantization === undefined ? id : `${id}:${quantization}`);
  const message = `The pull of ${id} was ended: the model is being removed.`;
  for (const job of jobs) {
    job.abort(new ApiError("unavailable", message, { code: "pull_cancelled" }));
  }
  await Promise.all(jobs.map(({ finished }) => finished));
  return jobs.length;
}

function configuredError(id: string): ApiError {
  const message = `Removing ${id} failed: the settings name it, not the models folder.`;
  return new ApiError("conflict", message, { code: "model_of_settings", param: "model" });
}

function foreignError(id: string): ApiError {
  const message = `Removing ${id} failed: its files are another program's. Remove it there.`;
  return new ApiError("conflict", message, { code: "model_of_source", param: "model" });
}

function notFound(name: string, reason: string): ApiError {
  const message = `Removing ${name} failed: ${reason}.`;
  return new ApiError("model_not_found", message, { param: "model" });
}
