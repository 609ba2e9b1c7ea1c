import type { Settings } from "../../config/settings.ts";
import { formatBytes, formatDuration } from "../../config/units.ts";
import type { NodeModel } from "../../wire/system.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine, printNote } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { findRunningNodes, type RunningNode } from "./runningnode.ts";

/**
 * Prints the loaded models of the nodes that run from this data folder. Exit code 3 if no node runs
 * or none answers.
 */
export async function listLoadedModels(settings: Settings, json: boolean): Promise<ExitCode> {
  const nodes = await findRunningNodes(settings.home);
  const answering = nodes.filter(({ system }) => system !== undefined);
  const code = answering.length === 0 ? EXIT.unreachable : EXIT.ok;
  if (json) return printJson({ nodes: nodes.map(nodeView) }, code);
  if (nodes.length === 0) {
    printNote(`No node runs from ${settings.home}. Start one: llmlb`);
    return code;
  }
  for (const { pid, server, system } of nodes) {
    if (system !== undefined) continue;
    printNote(`The node of process ${pid} does not answer at ${server.url}.`);
  }
  const loaded = answering.flatMap((node) => loadedOf(node).map((model) => ({ node, model })));
  if (loaded.length > 0) {
    const paint = colorsFor(process.stdout);
    const head = ["NAME", "STATE", "SLOTS", "SIZE", "MEMORY", "SINCE", "UNTIL", "PROCESS"].map(
      paint.dim,
    );
    const rows = loaded.map(({ node, model }) => rowOf(node, model, paint));
    for (const row of table([head, ...rows])) printLine(row);
    for (const { model } of loaded) printShortened(model);
  } else if (answering.length > 0) {
    printLine("No model is loaded. The first request for one loads it.");
  }
  return code;
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
    String(pid),
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

/** How long a model stays loaded if nobody asks for it. */
function untilText({ state, pinned, expires_at: expiresAt }: NodeModel): string {
  if (state !== "ready") return "-";
  if (pinned) return "pinned";
  if (expiresAt === undefined) return "its memory is needed";
  const leftMs = Math.max(0, Date.parse(expiresAt) - Date.now());
  const stepMs = leftMs >= 60_000 ? 60_000 : 1000;
  return `in ${formatDuration(Math.round(leftMs / stepMs) * stepMs)}`;
}
