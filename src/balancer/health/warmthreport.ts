import { z } from "zod";
import { monotonicMs } from "../../lib/monotonic.ts";
import type { ModelWarmthReport } from "../routing/modelwarmth.ts";
import type { WarmthReport } from "../routing/warmth.ts";
import type { Endpoint, ModelMap } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";
import type { SystemReport } from "./systemreport.ts";

type Source = Pick<Endpoint, "target" | "facts">;
type States = Map<string, ModelWarmthReport>;

const LOADED: ModelWarmthReport = { state: "loaded" };
const LOADING: ModelWarmthReport = { state: "loading" };

/** What a node tells of its models in `GET /api/system` and in its reports. */
export function nodeWarmth({ models, memory }: Pick<SystemReport, "models" | "memory">) {
  if (models === undefined) return undefined;
  const states: States = new Map();
  for (const { id, names = [], state, ...more } of models) {
    const { load_ms: loadMs, reserved_bytes: reserved, size_bytes: size, slots } = more;
    const { expires_at: expiresAt, pinned: isPinned, reserved: memoryBytes } = more;
    const bytes = reserved ?? size;
    const told = { state: stateOf(state), loadMs, bytes, slots, expiresAt, isPinned, memoryBytes };
    for (const name of names) states.set(name, { ...told, aliasOf: id });
    if (id !== undefined) states.set(id, told);
  }
  const freeBytes = memory && memory.budget_bytes - memory.reserved_bytes;
  const { budget_bytes: budgetBytes, memories } = memory ?? {};
  return { models: states, freeBytes, budgetBytes, memories } satisfies WarmthReport;
}

/**
 * What an endpoint has loaded, by what servers of its kind tell; undefined: it does not say, or has
 * all its models loaded. Never throws.
 *
 * | server               | where it says so                                                     |
 * |----------------------|----------------------------------------------------------------------|
 * | a node of llmlb      | `GET /api/system`: `models`, `memory`                                |
 * | Ollama               | `GET /api/ps`: the loaded ones                                       |
 * | LM Studio            | `GET /api/v1/models`: `loaded_instances`; `/api/v0/models`: `state`  |
 * | llama-server, router | `GET /v1/models`: `status.value`                                     |
 * | llama-swap           | `GET /running`: those that run or start                              |
 * | others               | nowhere: whatever they list is loaded                                |
 */
export async function askWarmth(
  endpoint: Source,
  {
    listed,
    system,
  }: { listed: { models: ModelMap; states: States }; system: SystemReport | undefined },
  options: GetJsonOptions,
): Promise<WarmthReport | undefined> {
  if (system !== undefined) return nodeWarmth(system);
  if (listed.states.size > 0) return { models: listed.states };
  const states = await askStates(endpoint, listed.models, options);
  return states && { models: states };
}

/**
 * Asks an endpoint what it has loaded, between its checks, and applies that. `system` is what it
 * has just reported, `askedAtMs` when it was asked first. Never throws.
 */
export async function learnWarmth(
  endpoint: Endpoint,
  { system, askedAtMs }: { system: SystemReport | undefined; askedAtMs: number },
  options: GetJsonOptions,
): Promise<void> {
  // A list that says what is loaded is read with each check.
  const listed = { models: endpoint.models ?? new Map(), states: new Map() };
  const warmth = await askWarmth(endpoint, { listed, system }, options);
  if (warmth !== undefined) endpoint.warmth.apply(warmth, { askedAtMs, nowMs: monotonicMs() });
}

function askStates(
  endpoint: Source,
  models: ModelMap,
  options: GetJsonOptions,
): Promise<States | undefined> | undefined {
  const { kind } = endpoint.facts;
  if (kind === "ollama") return ask(endpoint, ["/api/ps"], OllamaRunning, options);
  if (kind === "lm_studio") {
    return ask(endpoint, ["/api/v1/models", "/api/v0/models"], LmStudioModels, options);
  }
  const isSwap = models.values().some(({ owned_by }) => owned_by === "llama-swap");
  return isSwap ? ask(endpoint, ["/running"], SwapRunning, options) : undefined;
}

/** What the first of these paths that answers as it should tells. */
async function ask(
  endpoint: Source,
  paths: string[],
  schema: z.ZodType<States>,
  options: GetJsonOptions,
): Promise<States | undefined> {
  for (const path of paths) {
    const answer = await getJson(endpoint, path, options);
    const states = answer.ok ? schema.safeParse(answer.json).data : undefined;
    if (states !== undefined) return states;
  }
  return undefined;
}

/** Source: https://docs.ollama.com/api/ps */
const OllamaRunning = z
  .looseObject({
    models: z.array(
      z.looseObject({
        model: z.string(),
        size: z.number().positive().optional().catch(undefined),
        expires_at: z.iso.datetime({ offset: true }).optional().catch(undefined),
      }),
    ),
  })
  .transform(
    ({ models }): States =>
      new Map(
        models.map(({ model, size: bytes, expires_at: expiresAt }) => [
          model,
          { ...LOADED, bytes, expiresAt },
        ]),
      ),
  );

/** Source: llama-swap's `listRunningProcessesHandler`; states are `starting`, `ready`, … */
const SwapRunning = z
  .looseObject({ running: z.array(z.looseObject({ model: z.string(), state: z.string() })) })
  .transform(({ running }): States => {
    const up = running.filter(({ state }) => state === "ready" || state === "starting");
    return new Map(up.map(({ model, state }) => [model, state === "ready" ? LOADED : LOADING]));
  });

const LmStudioV1 = z
  .looseObject({
    models: z.array(
      z.looseObject({
        key: z.string(),
        loaded_instances: z.array(z.looseObject({ id: z.string() })),
      }),
    ),
  })
  .transform(({ models }) =>
    models
      .filter(({ loaded_instances }) => loaded_instances.length > 0)
      .flatMap(({ key, loaded_instances }) => [key, ...loaded_instances.map(({ id }) => id)]),
  );
const LmStudioV0 = z
  .looseObject({ data: z.array(z.looseObject({ id: z.string(), state: z.string() })) })
  .transform(({ data }) => data.filter(({ state }) => state === "loaded").map(({ id }) => id));

/** Both versions of its API. Source: https://lmstudio.ai/docs/developer/rest */
const LmStudioModels = z
  .union([LmStudioV1, LmStudioV0])
  .transform((names): States => new Map(names.map((name) => [name, LOADED])));

/** A model's state in words of our nodes and of llama-server's router, as those of routing. */
export function stateOf(word: string): ModelWarmthReport["state"] {
  switch (word) {
    case "ready":
    case "loaded":
      return "loaded";
    case "loading":
      return "loading";
    case "failed":
      return "failed";
    default:
      return "cold";
  }
}
