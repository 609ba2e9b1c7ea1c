import { EndpointList } from "../../wire/endpoint.ts";
import { listModelNames } from "../client/modelnames.ts";
import { loadClient } from "../client/options.ts";
import { requestJson } from "../client/request.ts";
import { findServer } from "../client/server.ts";

/** Who waits for a completion waits at his keyboard. */
const WAIT_MS = 1000;
const NAMES_MAX = 500;

/** The names that the llmlb of this data folder has; none if it does not answer quickly. */
export async function namesOf(kind: "models" | "endpoints"): Promise<string[]> {
  try {
    const { client, settings } = loadClient({});
    const server = findServer(client, settings);
    const signal = AbortSignal.timeout(WAIT_MS);
    if (kind === "models") return (await listModelNames(server, signal)).slice(0, NAMES_MAX);
    const { endpoints } = await requestJson(server, "/api/endpoints", EndpointList, { signal });
    return endpoints.map(({ name }) => name).slice(0, NAMES_MAX);
  } catch {
    return []; // Nobody wants to read errors while he types.
  }
}
