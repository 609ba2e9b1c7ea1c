import type { Engine, EngineOptions } from "../../engine/engine.ts";
import { EngineLoadError } from "../../engine/loaderror.ts";
import { withDeadline } from "../../lib/deadline.ts";
import type { Launch } from "../supervisor/engineoptions.ts";
import type { WorkerDirectory } from "./directory.ts";
import { WorkerError, workerFailure } from "./error.ts";
import { WorkerLink } from "./link.ts";

export interface WorkerLaunchOptions {
  directory: WorkerDirectory;
  /** The workers' names. */
  workers: readonly string[];
  /** The name of this node. */
  head: string;
  launch: Launch;
}

const NEVER = new AbortController().signal;

/**
 * Starts engines that use the devices of workers besides this host's. Their tunnels live as long as
 * the engine; when one breaks, the engine is ended, because llama.cpp could only fail without it.
 */
export function launchOverWorkers(options: WorkerLaunchOptions): Launch {
  return async (engineOptions) => {
    const lost = new AbortController();
    const links = await openLinks(options, engineOptions, lost);
    const closeAll = () => links.map((link) => link.close());
    const sockets = links.map(({ socketPath }) => socketPath).join(",");
    try {
      const engine = await options.launch({
        ...engineOptions,
        args: [...engineOptions.args, "--rpc", sockets],
        signal: AbortSignal.any([lost.signal, engineOptions.signal ?? NEVER]),
      });
      engine.exited.finally(closeAll);
      return overWorkers(engine, lost.signal);
    } catch (cause) {
      await aborted(lost.signal);
      closeAll();
      const error: unknown = lost.signal.reason;
      throw error instanceof WorkerError ? workerLoadError(error, engineOptions) : cause;
    }
  };
}

/** The failure to load a model because of a worker. */
export function workerLoadError(
  error: WorkerError,
  { modelPath }: Pick<EngineOptions, "modelPath">,
): EngineLoadError {
  const reason = error.reason === "refused" ? "worker_refused" : "worker_unreachable";
  return EngineLoadError.of(reason, modelPath, `${error.message}.`, error);
}

async function openLinks(
  { directory, workers, head }: WorkerLaunchOptions,
  engineOptions: EngineOptions,
  lost: AbortController,
): Promise<WorkerLink[]> {
  const { modelId: model, home, signal = NEVER } = engineOptions;
  const opening = workers.map(async (name) => {
    const worker = await directory.find(name, signal);
    return WorkerLink.open({ worker, head, model, home, onLost: (error) => lost.abort(error) });
  });
  const outcomes = await Promise.allSettled(opening);
  const failed = outcomes.findIndex(({ status }) => status === "rejected");
  const links = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failure = outcomes[failed];
  if (failure?.status !== "rejected" && !lost.signal.aborted) return links;
  for (const link of links) link.close();
  const cause: unknown = failure?.status === "rejected" ? failure.reason : lost.signal.reason;
  throw workerLoadError(workerFailure(workers[failed] ?? "", cause), engineOptions);
}

/** A worker's end may be heard of a little after the engine has failed for want of it. */
const NEWS_MS_MAX = 500;

/** The engine; it ends when a tunnel of it breaks, and says so. */
function overWorkers(engine: Engine, lost: AbortSignal): Engine {
  const end = () => void engine.stop(0);
  if (lost.aborted) end();
  lost.addEventListener("abort", end, { once: true });
  const exited = engine.exited.then(async (exit) => {
    if (!exit.expected) await aborted(lost);
    const error: unknown = lost.reason;
    if (!(error instanceof WorkerError)) return exit;
    return { expected: false, message: `${error.message}.`, lostWorker: error.worker };
  });
  return { ...engine, exited };
}

async function aborted(signal: AbortSignal): Promise<void> {
  await withDeadline(new Promise(() => undefined), { timeoutMs: NEWS_MS_MAX, signal });
}
