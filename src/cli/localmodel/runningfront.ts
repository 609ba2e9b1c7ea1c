import { localKeyOf } from "../client/localkey.ts";
import { type Server, serverOf } from "../client/server.ts";
import { listPidFiles } from "../process/pidfile.ts";

/** The balancer that runs from a data folder, alone or with a node of its own. */
export function findFront(home: string): Server | undefined {
  const entry = listPidFiles(home).find(({ mode }) => mode !== "node");
  if (entry === undefined) return undefined;
  const apiKey = localKeyOf(entry, home);
  return { ...serverOf(entry), ...(apiKey === undefined ? {} : { apiKey }) };
}
