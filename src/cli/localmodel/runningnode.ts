import { existsSync } from "node:fs";
import { join } from "node:path";
import { openIdentity } from "../../node/membership/identity.ts";
import { NodeSystem } from "../../wire/system.ts";
import { fetchFrom } from "../client/request.ts";
import { reachableUrl, type Server } from "../client/server.ts";
import { CliError } from "../process/exit.ts";
import { listPidFiles, type PidFile } from "../process/pidfile.ts";

/** A node that runs from this home: one by itself, or that of a standalone llmlb. */
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

/** The nodes that run from a home, with what they tell of themselves. */
export async function findRunningNodes(home: string): Promise<RunningNode[]> {
  const found = listPidFiles(home).filter(({ mode }) => mode !== "balancer");
  return await Promise.all(
    found.map(async (entry) => {
      const { pid, mode, started_at: startedAt, url, node_url: nodeUrl } = entry;
      const key = mode === "node" ? keyOf(home) : {};
      // A standalone llmlb that has just begun has no node yet: there is nothing to ask.
      const own = mode === "standalone" ? nodeUrl : url;
      const server = { url: reachableUrl(own ?? url), ...key };
      const system = own === undefined ? undefined : await systemOf(server);
      return { pid, mode, startedAt, server, system };
    }),
  );
}

/** What a node asks for beyond loopback; its own user may read it. */
function keyOf(home: string): { apiKey?: string } {
  try {
    return existsSync(join(home, "node.json")) ? { apiKey: openIdentity(home).key } : {};
  } catch {
    return {}; // Damaged: a node on loopback wants none.
  }
}

/**
 * Lets a node look at its models folder now, not within a minute: it serves what has come, and
 * unloads what is gone. One that does not answer finds out by itself.
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
