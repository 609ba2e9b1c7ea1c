import { useQuery } from "@tanstack/react-query";
import { ModelPlaces } from "../../../wire/modelplace.ts";
import { ModelPreview } from "../../../wire/preview.ts";
import { RegisteredDetail, Registration } from "../../../wire/registry.ts";
import { LoadedModelList, type ResidencyAction, ResidencyAnswer } from "../../../wire/residency.ts";
import { ModelProgress, ModelPullAnswer } from "../../../wire/sync.ts";
import { call, send } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";

/** What the hub tells of a model is asked for again after this time. */
const PREVIEW_MS = 60_000;

/** Which models are loaded at which endpoints; events keep it up to date. */
export function useLoaded() {
  return useQuery({
    queryKey: ["residency"],
    queryFn: ({ signal }) => call(LoadedModelList, "GET /api/models/loaded", { signal }),
  });
}

/** Where a model is served. */
export function usePlaces(id: string) {
  return useQuery({
    queryKey: ["residency", id],
    queryFn: ({ signal }) => call(ModelPlaces, `GET ${pathOf(id)}/endpoints`, { signal }),
  });
}

/** What is registered of a model. */
export function useRegistered(id: string) {
  return useQuery({
    queryKey: ["models", "registered", id],
    queryFn: ({ signal }) => call(RegisteredDetail, `GET ${pathOf(id)}`, { signal }),
  });
}

/** How far nodes are with fetching a model. */
export function useProgress(id: string) {
  return useQuery({
    queryKey: ["models", "progress", id],
    queryFn: ({ signal }) => call(ModelProgress, `GET ${pathOf(id)}/progress`, { signal }),
  });
}

/** What would be registered; `text` is what somebody has written, "" for nothing yet. */
export function usePreview(text: string) {
  return useQuery({
    queryKey: ["preview", text],
    queryFn: ({ signal }) =>
      call(ModelPreview, "POST /api/models/preview", { body: { repo: text }, signal }),
    ...{ enabled: text !== "", staleTime: PREVIEW_MS, gcTime: PREVIEW_MS, retry: false },
  });
}

/** Registers a model. */
export async function registerModel(body: object): Promise<Registration> {
  return reloaded(await call(Registration, "POST /api/models/register", { body }));
}

/** Changes what is in the body. */
export async function changeModel(id: string, body: object): Promise<RegisteredDetail> {
  return reloaded(await call(RegisteredDetail, `PATCH ${pathOf(id)}`, { body }));
}

/** Removes a model from the registry; `leave` goes away from what shows it. */
export async function removeModel(id: string, leave: () => Promise<void>): Promise<void> {
  await send(`DELETE ${pathOf(id)}`);
  await leave();
  for (const about of ["one", "registered", "progress"]) {
    queries.removeQueries({ queryKey: ["models", about, id] });
  }
  await reloaded(undefined);
}

/** Tells the nodes to try again what failed. */
export async function pullModel(id: string): Promise<ModelPullAnswer> {
  return reloaded(await call(ModelPullAnswer, `POST ${pathOf(id)}/pull`));
}

/** Loads, unloads, pins or unpins a model, at one endpoint or where the balancer chooses. */
export async function changeResidency(
  action: ResidencyAction,
  body: { model: string; endpoint?: string },
): Promise<ResidencyAnswer> {
  try {
    return await call(ResidencyAnswer, `POST /api/models/${action}`, { body });
  } finally {
    await queries.invalidateQueries({ queryKey: ["residency"] });
  }
}

function pathOf(id: string): string {
  return `/api/models/${encodeURIComponent(id)}`;
}

async function reloaded<T>(answer: T): Promise<T> {
  // A preview says what is registered already.
  queries.removeQueries({ queryKey: ["preview"] });
  const keys = [["models"], ["residency"]];
  await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
  return answer;
}
