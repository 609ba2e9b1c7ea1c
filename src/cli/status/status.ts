import { z } from "zod";
import type { ClientSettings } from "../../config/clientsettings.ts";
import type { Settings } from "../../config/settings.ts";
import { formatBytes, formatDuration } from "../../config/units.ts";
import { ModelList } from "../../wire/openai.ts";
import { NodeSystem } from "../../wire/system.ts";
import { localKeyOf } from "../client/localkey.ts";
import { fetchFrom, refusalText } from "../client/request.ts";
import { findServer, type Server, serverOf } from "../client/server.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { listPidFiles, type PidFile } from "../process/pidfile.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printable, printJson, printText } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

const Health = z.looseObject({ status: z.string(), version: z.string().optional() });

const Ready = z.looseObject({
  status: z.string(),
  endpoints: z
    .array(z.looseObject({ name: z.string(), status: z.string(), models: z.number() }))
    .optional(),
});

const ListedModel = z.looseObject({
  ready: z.boolean().optional(),
  endpoint_ids: z.array(z.string()).optional(),
});

/** The answers of a running llmlb about itself; absent where it has no such route. */
interface Status {
  url: string;
  pid?: number;
  mode?: string;
  started_at?: string;
  health: z.infer<typeof Health> | null;
  ready?: z.infer<typeof Ready>;
  models?: z.infer<typeof ModelList>["data"];
  /** Why the server does not tell its models, such as a wrong key. */
  models_refused?: string;
  system?: NodeSystem;
}

interface StatusOptions {
  client: ClientSettings;
  settings: Settings;
  json: boolean;
}

/** Prints the state of the named server, or of all that run from this data folder. */
export async function printStatus({ client, settings, json }: StatusOptions): Promise<void> {
  const running = client.url === undefined ? listPidFiles(settings.home) : [];
  const server = findServer(client, settings);
  const servers =
    running.length === 0
      ? [await describe(server)]
      : await Promise.all(running.map((entry) => describeRunning(entry, client, settings.home)));
  if (json) {
    printJson({ servers });
  } else {
    const paint = colorsFor(process.stdout);
    printText(servers.map((status) => render(status, paint)).join("\n"));
  }
  if (servers.every(({ health }) => health === null)) {
    throw new CliError("llmlb runs but does not answer: see its log.", EXIT.unreachable);
  }
}

async function describeRunning(
  entry: PidFile,
  client: ClientSettings,
  home: string,
): Promise<Status> {
  const { pid, mode, started_at } = entry;
  const server = serverOf(entry);
  const { url } = server;
  const apiKey = client.apiKey ?? localKeyOf(entry, home);
  const key = apiKey === undefined ? {} : { apiKey };
  try {
    const status = await describe({ ...server, ...key }, entry.node_url);
    return { ...status, pid, mode, started_at };
  } catch (cause) {
    if (!(cause instanceof CliError)) throw cause;
    return { url, pid, mode, started_at, health: null };
  }
}

async function describe(server: Server, nodeUrl?: string): Promise<Status> {
  const health = await read(server, "/health", Health);
  const [ready, models, own] = await Promise.all([
    read(server, "/ready", Ready),
    readModels(server),
    read(server, "/api/system", NodeSystem),
  ]);
  const system = own ?? (await readLocalNode(nodeUrl));
  return {
    url: server.url,
    health: health ?? null,
    ...(ready === undefined ? {} : { ready }),
    ...models,
    ...(system === undefined ? {} : { system }),
  };
}

async function readModels(server: Server): Promise<Pick<Status, "models" | "models_refused">> {
  const told = await ask(server, "/v1/models", async (response) => {
    if ([401, 403].includes(response.status)) {
      return { models_refused: await refusalText(response) };
    }
    const list = ModelList.safeParse(await response.json()).data;
    return list === undefined ? {} : { models: list.data };
  });
  return told ?? {};
}

async function readLocalNode(url: string | undefined): Promise<NodeSystem | undefined> {
  if (url === undefined) return undefined;
  // It may be starting again just now.
  return await read({ url }, "/api/system", NodeSystem).catch(() => undefined);
}

/** How long each of a server's answers may take. */
const ANSWER_MS_MAX = 5000;

/** An answer of this shape, whatever its status; undefined if the server has none. */
function read<T>(server: Server, path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  return ask(server, path, async (response) => schema.safeParse(await response.json()).data);
}

/** What is told by an answer; undefined if the server is silent for too long, or tells no JSON. */
async function ask<T>(
  server: Server,
  path: string,
  toldBy: (response: Response) => Promise<T>,
): Promise<T | undefined> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    return await toldBy(await fetchFrom(server, path, { signal }));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    return undefined;
  }
}

function render(status: Status, paint: Colors): string {
  const { url, mode, health, ready, models, models_refused: refused, system } = status;
  const state = health === null ? paint.red("does not answer") : (ready?.status ?? health.status);
  const lines = [`${paint.bold(url)}  ${colour(state, paint)}`];
  const facts = [
    mode,
    health?.version && `llmlb ${health.version}`,
    status.pid === undefined ? undefined : `process ${status.pid}`,
    status.started_at && `up ${formatDuration(Date.now() - Date.parse(status.started_at))}`,
    system && `llama.cpp ${system.llama_cpp_version}`,
  ];
  lines.push(paint.dim(`  ${facts.filter(Boolean).join(", ")}`));
  const endpoints = ready?.endpoints ?? [];
  section(
    "Endpoints",
    endpoints.map(({ name, status, models: count }) => [
      printable(name),
      colour(status, paint),
      `${count} model${count === 1 ? "" : "s"}`,
    ]),
  );
  section(
    "Models",
    refused === undefined
      ? (models ?? []).map((model) => modelRow(model, system, paint))
      : refused.split("\n").map((line) => [paint.red(line.trim())]),
  );
  section(
    "Devices",
    (system?.devices ?? []).map((device) => [
      device.name,
      device.type,
      device.description,
      `${formatBytes(device.free_memory_bytes)} of ${formatBytes(device.total_memory_bytes)} free`,
    ]),
  );
  return `${lines.join("\n")}\n`;

  function section(title: string, rows: string[][]): void {
    if (rows.length > 0) lines.push(`  ${title}`, ...table(rows, "    "));
  }
}

function modelRow(
  model: z.infer<typeof ModelList>["data"][number],
  system: NodeSystem | undefined,
  paint: Colors,
): string[] {
  const { ready, endpoint_ids: endpoints } = ListedModel.safeParse(model).data ?? {};
  const own = system?.models.find(({ id }) => id === model.id);
  const listed = ready === undefined ? "" : ready ? "ready" : "not ready";
  const state = own?.state ?? listed;
  const progress =
    own?.progress !== undefined && own.state === "loading"
      ? ` ${Math.round(own.progress * 100)} %`
      : "";
  return [
    printable(model.id),
    `${colour(state, paint)}${progress}`,
    endpoints?.join(", ") ?? "",
    own?.error === undefined ? "" : paint.red(printable(own.error)),
  ];
}

function colour(state: string, { green, yellow, red }: Colors): string {
  if (["ok", "ready", "online"].includes(state)) return green(state);
  return ["offline", "failed", "no_endpoint"].includes(state) ? red(state) : yellow(state);
}
