import type { Settings } from "../../config/settings.ts";
import { formatBytes, formatDuration } from "../../config/units.ts";
import { EndpointList } from "../../wire/endpoint.ts";
import { type LoadedModel, LoadedModelList } from "../../wire/residency.ts";
import type { NodeModel } from "../../wire/system.ts";
import { requestJson } from "../client/request.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { findFront } from "./runningfront.ts";
import { findRunningNodes, type RunningNode } from "./runningnode.ts";

/** A chat template may be long. */
const SETTINGS_CHARS_MAX = 500;

/**
 * Prints the loaded models of the nodes that run from this data folder, and those at the other
 * endpoints of a balancer that does. Exit code 3 if none of them runs or answers.
 */
export async function listLoadedModels(settings: Settings, json: boolean): Promise<ExitCode> {
  const nodes = await findRunningNodes(settings.home);
  const elsewhere = await loadedElsewhere(settings.home);
  const answering = nodes.filter(({ system }) => system !== undefined);
  const code = answering.length === 0 && elsewhere === undefined ? EXIT.unreachable : EXIT.ok;
  if (json) {
    const endpoints = elsewhere === undefined ? {} : { endpoints: elsewhere };
    return printJson({ nodes: nodes.map(nodeView), ...endpoints }, code);
  }
  if (nodes.length === 0 && elsewhere === undefined) {
    printNote(`No node runs from ${settings.home}. Start one: llmlb`);
    return code;
  }
  for (const { pid, server, system } of nodes) {
    if (system !== undefined) continue;
    printNote(`The node of process ${pid} does not answer at ${server.url}.`);
  }
  const loaded = answering.flatMap((node) => loadedOf(node).map((model) => ({ node, model })));
  const paint = colorsFor(process.stdout);
  const rows = [
    ...loaded.map(({ node, model }) => rowOf(node, model, paint)),
    ...(elsewhere ?? []).map((model) => rowElsewhere(model, paint)),
  ];
  if (rows.length > 0) {
    const head = ["NAME", "STATE", "SLOTS", "SIZE", "MEMORY", "SINCE", "UNTIL", "WHERE"];
    for (const row of table([head.map(paint.dim), ...rows])) printLine(row);
    for (const { model } of loaded) {
      printShortened(model);
      printSettings(model);
    }
  } else if (code === EXIT.ok) {
    printLine("No model is loaded. The first request for one loads it.");
  }
  return code;
}

/** What endpoints of the balancer here have loaded, its own node aside. */
async function loadedElsewhere(home: string): Promise<LoadedModel[] | undefined> {
  const front = findFront(home);
  if (front === undefined) return undefined;
  const answers = await Promise.all([
    requestJson(front, "/api/models/loaded", LoadedModelList),
    requestJson(front, "/api/endpoints", EndpointList),
  ]).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    printNote(error.message);
  });
  if (answers === undefined) return undefined;
  const [{ models }, { endpoints }] = answers;
  const own = endpoints.filter(({ source }) => source === "local").map(({ name }) => name);
  return models.filter(({ endpoint }) => !own.includes(endpoint));
}

function rowElsewhere(model: LoadedModel, paint: Colors): string[] {
  const { state, active_requests: active, size_bytes: size, endpoint } = model;
  const word = { loaded: paint.green("loaded"), failed: paint.red("failed") };
  return [
    printable(model.model),
    state === "loaded" || state === "failed" ? word[state] : "loading",
    state === "loaded" ? `${active} busy` : "-",
    size === undefined ? "-" : formatBytes(size),
    ...["-", "-"],
    untilText({ ...model, state: state === "loaded" ? "ready" : "unloaded" }),
    printable(endpoint),
  ];
}

function loadedOf({ system }: RunningNode): NodeModel[] {
  return system?.models.filter(({ state }) => state !== "unloaded") ?? [];
}

function nodeView(node: RunningNode): object {
  const { pid, mode, startedAt, server, system } = node;
  return {
    ...{ pid, mode, url: server.url, started_at: startedAt, answers: system !== undefined },
    models: loadedOf(node),
  };
}

function rowOf({ pid }: RunningNode, model: NodeModel, paint: Colors): string[] {
  const { id, state, slots, busy = 0, size_bytes: size, since } = model;
  const percent = Math.round((model.progress ?? 0) * 100);
  const word =
    state === "ready"
      ? paint.green("loaded")
      : state === "failed"
        ? paint.red(`failed: ${printable(model.error ?? "")}`)
        : `loading ${percent} %`;
  return [
    printable(id),
    word,
    state === "ready" ? `${busy} of ${slots} busy` : "-",
    size === undefined ? "-" : formatBytes(size),
    memoryText(model),
    since === undefined ? "-" : formatDuration(Math.max(0, Date.now() - Date.parse(since))),
    untilText(model),
    `process ${pid}`,
  ];
}

/** The memory of a model: what is counted for it on devices, and what its processes use. */
function memoryText({ reserved = {}, memory_bytes: memory }: NodeModel): string {
  const devices = Object.entries(reserved).filter(([name, bytes]) => name !== "host" && bytes > 0);
  const parts = devices.map(([name, bytes]) => `${formatBytes(bytes)} on ${printable(name)}`);
  const all = [...parts, ...(memory === undefined ? [] : [formatBytes(memory)])];
  return all.length === 0 ? "-" : all.join(", ");
}

/** Says what a model got less of than it should have. */
function printShortened({ id, shortened = {} }: NodeModel): void {
  const { context_tokens: tokens, wished_context_tokens: wished } = shortened;
  if (tokens !== undefined) {
    printNote(`${printable(id)} has ${tokens} tokens of context instead of ${wished}: more does \
not fit into the memory.`);
  }
  if (shortened.layers_on_host) {
    printNote(
      `${printable(id)} runs in part on the CPU: not all of its layers fit on the devices.`,
    );
  }
}

/** Says how a model runs because it was loaded so. */
function printSettings({ id, load_settings: settings = {} }: NodeModel): void {
  const words = Object.entries(settings).map(([name, value]) => `${name} ${String(value)}`);
  if (words.length === 0) return;
  const text = printable(words.join(", ").slice(0, SETTINGS_CHARS_MAX));
  printNote(
    `${printable(id)} was loaded with ${text}: this holds until llmlb stop ${printable(id)}.`,
  );
}

/** How long a model stays loaded if nobody asks for it. */
function untilText({
  state,
  pinned,
  expires_at: expiresAt,
}: Pick<NodeModel, "state" | "pinned" | "expires_at">): string {
  if (state !== "ready") return "-";
  if (pinned) return "pinned";
  if (expiresAt === undefined) return "its memory is needed";
  const leftMs = Math.max(0, Date.parse(expiresAt) - Date.now());
  const stepMs = leftMs >= 60_000 ? 60_000 : 1000;
  return `in ${formatDuration(Math.round(leftMs / stepMs) * stepMs)}`;
}
