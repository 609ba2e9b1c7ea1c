import type { Settings } from "../../config/settings.ts";
import { isListed } from "../client/modelnames.ts";
import { fetchFrom } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { pullLocalModel } from "../localmodel/pull.ts";
import { findRunningNodes } from "../localmodel/runningnode.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { abortOnInterrupt } from "../process/signals.ts";
import { printable, printNote } from "../terminal/output.ts";

interface RunOptions {
  /** As for `llmlb pull`, or any name that the server knows. */
  model: string;
  server: Server;
  settings: Settings;
  /** Load it now, for a conversation. */
  load: boolean;
}

/** A balancer asks its nodes for their models every few seconds. */
const LISTED_MS_MAX = 30_000;
const POLL_MS = 250;

/**
 * Makes sure that the server has a model, and returns a name for it: one that is missing is fetched
 * from the hub if the server runs here. A name that is none of the hub's is returned as it is: the
 * server says best what it has. Throws `CliError` as a pull does.
 */
export async function runnableModel(options: RunOptions): Promise<string> {
  const { model, server, load } = options;
  const name = (await isListed(server, model)) ? model : await pulled(options);
  if (load && server.boundUrl !== undefined) {
    printNote(`Loading ${printable(name)} …`);
    // If it fails, or is a node that has no such route, the first question tells.
    const answer = await fetchFrom(server, "/api/generate", { body: { model: name } });
    await answer.text();
  }
  return name;
}

async function pulled({ model, server, settings }: RunOptions): Promise<string> {
  if (!model.includes("/") || server.boundUrl === undefined) return model;
  const nodes = await findRunningNodes(settings.home);
  if (nodes.length === 0) return model;
  let id = model;
  await pullLocalModel({
    model: { reference: model },
    settings,
    json: false,
    signal: abortOnInterrupt(EXIT.interrupted),
    onPulled: (pulledId) => {
      id = pulledId;
    },
  });
  const endMs = performance.now() + LISTED_MS_MAX;
  while (performance.now() < endMs) {
    for (const name of [model, id]) if (await isListed(server, name)) return name;
    await Bun.sleep(POLL_MS);
  }
  throw new CliError(`${id} is here, but ${server.url} does not list it: see llmlb status.`);
}
