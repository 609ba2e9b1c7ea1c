import { NodeSystem } from "../../wire/system.ts";
import { localKeyOf } from "../client/localkey.ts";
import { fetchFrom } from "../client/request.ts";
import { type Server, serverOf } from "../client/server.ts";
import { CliError } from "../process/exit.ts";
import { listPidFiles, type PidFile } from "../process/pidfile.ts";

/** A node that runs from a data folder: a node alone, or the local node of a standalone llmlb. */
export interface RunningNode {
  pid: number;
  mode: PidFile["mode"];
  startedAt: string;
  server: Server;
  /** Undefined if it does not answer. */
  system: NodeSystem | undefined;
}

const MODELS = "/api/models";
const ANSWER_MS_MAX = 5000;

/** The nodes that run from a data folder, with their answers about themselves. */
export async function findRunningNodes(home: string): Promise<RunningNode[]> {
  const entries = listPidFiles(home).filter(({ mode }) => mode !== "balancer");
  return await Promise.all(
    entries.map(async (entry) => {
      const { pid, mode, started_at: startedAt, node_url: nodeUrl } = entry;
      const apiKey = mode === "node" ? localKeyOf(entry, home) : undefined;
      const key = apiKey === undefined ? {} : { apiKey };
      // A standalone llmlb that has just started has no node yet.
      const isMissing = mode === "standalone" && nodeUrl === undefined;
      const own = mode === "standalone" && nodeUrl !== undefined ? { url: nodeUrl } : undefined;
      const server = { ...(own ?? serverOf(entry)), ...key };
      const system = isMissing ? undefined : await systemOf(server);
      return { pid, mode, startedAt, server, system };
    }),
  );
}

/**
 * Makes a node scan its models folder now instead of within a minute: it serves new models and
 * unloads removed ones. A node that does not answer scans later by itself.
 */
export async function rescanModelsFolder({ server }: RunningNode): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await fetchFrom(server, MODELS, { signal }).catch(() => undefined);
  await response?.body?.cancel();
}

async function systemOf(server: Server): Promise<NodeSystem | undefined> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const response = await fetchFrom(server, "/api/system", { signal });
    return NodeSystem.safeParse(await response.json()).data;
  } catch (cause) {
    if (cause instanceof CliError || cause instanceof DOMException) return undefined;
    if (cause instanceof SyntaxError) return undefined; // no JSON
    throw cause;
  }
}
