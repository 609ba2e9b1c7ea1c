import type { PullProgress, PullState } from "../../wire/pull.ts";
import { type HeldState, ModelProgress, ModelPulling } from "../../wire/sync.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson } from "../client/request.ts";
import type { Server } from "../client/server.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printLine } from "../terminal/output.ts";
import { ProgressLines, type PullDisplay } from "../terminal/pullprogress.ts";
import { modelPath } from "./model.ts";

export interface PullOptions {
  /** Do not wait for the nodes. */
  detach: boolean;
  /** Ends the watching; the nodes go on. */
  signal: AbortSignal;
}

const EVERY_MS = 500;
/** What a node told before it was asked may be told a while longer. */
const STALE_MS = 3000;
/** A node that has told nothing of the model by then is not waited for. */
const SILENT_MS_MAX = 30_000;

type Nodes = ModelProgress["nodes"];

/**
 * Lets the nodes that shall have a model fetch it now, and watches them. Exit code 1 if one of them
 * could not, or said nothing. Throws `CliError`.
 */
export async function pullOnNodes(
  { server, json }: ClientContext,
  which: string,
  { detach, signal }: PullOptions,
): Promise<ExitCode> {
  const asked = await requestJson(server, `${modelPath(which)}/pull`, ModelPulling, {
    method: "POST",
  });
  const names = asked.nodes.map(printable).join(", ");
  if (detach) {
    printLine(json ? JSON.stringify(asked) : `${printable(asked.model)}: ${names} will fetch it`);
    return EXIT.ok;
  }
  const display = json ? undefined : await displayFor();
  try {
    const nodes = await watch({ server, asked, signal, display, json });
    display?.end();
    return tellEnd(asked, nodes, json);
  } catch (cause) {
    display?.end();
    if (!signal.aborted) throw cause;
    const advice = `To look again: llmlb model pull ${which}`;
    throw new CliError(`Stopped watching; the nodes go on. ${advice}`, EXIT.interrupted);
  }
}

async function displayFor(): Promise<PullDisplay> {
  if (process.stderr.isTTY !== true) {
    return new ProgressLines((text) => process.stderr.write(text));
  }
  const { ProgressBars } = await import("../terminal/progressbar.ts");
  return new ProgressBars(process.stderr);
}

interface Watching {
  server: Server;
  asked: ModelPulling;
  signal: AbortSignal;
  display: PullDisplay | undefined;
  json: boolean;
}

/** What each node has come to. */
async function watch({ server, asked, signal, display, json }: Watching): Promise<Nodes> {
  const path = `${modelPath(asked.model)}/progress`;
  const begunAt = performance.now();
  let last = "";
  for (;;) {
    const now = await requestJson(server, path, ModelProgress, { signal });
    const text = JSON.stringify(now);
    if (json && text !== last) printLine(text);
    last = text;
    display?.show(asProgress(now, asked.nodes));
    if (isFinished(now.nodes, asked.nodes, performance.now() - begunAt)) return now.nodes;
    await Bun.sleep(EVERY_MS);
    signal.throwIfAborted();
  }
}

/**
 * Whether nothing more is to be waited for.
 *
 * 1. A node that has the model: done. 2. One that fetches it: no. 3. One that failed: done, unless
 * that may be of before. 4. One that says nothing: done after half a minute.
 */
export function isFinished(told: Nodes, meant: string[], elapsedMs: number): boolean {
  return meant.every((name) => {
    const node = told.find((one) => one.node === name);
    if (node === undefined) return elapsedMs >= SILENT_MS_MAX;
    if (node.state === "ready") return true;
    return (node.state === "failed" || node.state === "unusable") && elapsedMs >= STALE_MS;
  });
}

const STATES: Record<HeldState, PullState> = {
  waiting: "waiting",
  pulling: "downloading",
  ready: "done",
  failed: "failed",
  unusable: "failed",
};

/** Nodes as a display knows files: one bar for each, and one for all. */
function asProgress({ model, nodes }: ModelProgress, meant: string[]): PullProgress {
  const files = meant.map((name) => {
    const node = nodes.find((one) => one.node === name);
    const { bytes = 0, total_bytes: total = 0 } = node?.progress ?? {};
    return { name, state: STATES[node?.state ?? "waiting"], bytes, total_bytes: total };
  });
  const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
  const progress = nodes.flatMap((one) => one.progress ?? []);
  const etas = progress.flatMap(({ eta_s: eta }) => eta ?? []);
  return {
    model,
    state: progress.length > 0 ? "downloading" : "waiting",
    file: null,
    bytes: sum(files.map(({ bytes }) => bytes)),
    total_bytes: sum(files.map(({ total_bytes: total }) => total)),
    rate_bytes_per_s: sum(progress.map(({ rate_bytes_per_s: rate }) => rate)),
    eta_s: etas.length === 0 ? null : Math.max(...etas),
    files,
    error: null,
  };
}

function tellEnd({ model, nodes: meant }: ModelPulling, nodes: Nodes, json: boolean): ExitCode {
  const { green, red } = colorsFor(process.stdout);
  let code: ExitCode = EXIT.ok;
  for (const name of meant) {
    const node = nodes.find((one) => one.node === name);
    const isReady = node?.state === "ready";
    if (!isReady) code = EXIT.error;
    if (json) continue;
    const why = node?.error?.message ?? `${name} said nothing of it: see its log`;
    const state = isReady ? green("ready") : `${red("failed")}: ${printable(why)}`;
    printLine(`${printable(model)} on ${printable(name)}: ${state}`);
  }
  return code;
}
