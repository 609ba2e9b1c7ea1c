import { mkdir, stat } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import { modelsFolder } from "../../config/fields/hub.ts";
import type { Settings } from "../../config/settings.ts";
import { formatBytes } from "../../config/units.ts";
import { probeDevices } from "../../engine/deviceprobe.ts";
import { closeIdleConnections } from "../../http/client/exchange.ts";
import { createLogger, type Logger } from "../../lib/log.ts";
import { localName } from "../../model/filename.ts";
import { type FreeMemory, freeMemoryOf } from "../../model/memory.ts";
import { directoryOf } from "../../model/name.ts";
import { HubClient } from "../../registry/hubclient.ts";
import { Puller } from "../../storage/pull/puller.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import type { PullProgress } from "../../wire/pull.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printLine } from "../terminal/output.ts";
import {
  amountText,
  ProgressEvents,
  ProgressLines,
  type PullDisplay,
} from "../terminal/pullprogress.ts";
import { MemoryHubCache } from "./memoryhubcache.ts";
import { type ModelReference, type ModelSelection, selectModel } from "./modelselection.ts";
import { explainPullError } from "./pullerror.ts";
import { findRunningNodes, rescanModelsFolder } from "./runningnode.ts";

export interface PullCommand {
  wanted: ModelReference;
  settings: Settings;
  /** Print events, one JSON object a line. */
  json: boolean;
  /** Ends the pull; what has come is kept. */
  signal: AbortSignal;
  /** Default: what is free on this host. */
  free?: () => Promise<FreeMemory>;
}

/**
 * Fetches a model into the models folder. Throws `CliError` with what to do. Interrupted, it leaves
 * what the next pull goes on with.
 */
export async function pullLocalModel(command: PullCommand): Promise<ExitCode> {
  const { wanted, settings, json, signal } = command;
  const { hubUrl, hubToken } = settings;
  const failed = { reference: wanted.reference, hubUrl, hasToken: hubToken !== null };
  try {
    const choice = await choose(command);
    for (const note of choice.notes) tell(note);
    return await fetchChosen(choice, command);
  } catch (error) {
    const isTold = error instanceof CliError;
    const told = signal.aborted && !isTold ? stopped(wanted) : explainPullError(error, failed);
    if (json && told instanceof Error) printFailure(wanted.reference, told.message);
    throw told;
  } finally {
    closeIdleConnections();
  }
}

async function choose(command: PullCommand): Promise<ModelSelection> {
  const { wanted, settings, signal } = command;
  const { hubUrl, hubToken: token, home } = settings;
  const log = createLogger({ level: "silent", readable: false });
  const hub = new HubClient({ hubUrl, token, log, cache: new MemoryHubCache() });
  const { free = () => freeMemory(home, log) } = command;
  const header = (manifest: Manifest, artifact: Artifact) => {
    return pullerFor(manifest, settings).headerOrNone(manifest, artifact, signal);
  };
  return await selectModel({ wanted, settings, hub, free, header, signal });
}

async function fetchChosen(choice: ModelSelection, command: PullCommand): Promise<ExitCode> {
  const { settings, json, signal } = command;
  const { manifest, files, candidate } = choice;
  const root = modelsFolder(settings);
  const folder = join(root, directoryOf(manifest.model));
  const wasThere = await areThere(folder, files);
  await mkdir(settings.home, { recursive: true, mode: 0o700 });
  const { quantization } = candidate;
  const request = { manifest, files, quantization, placedBy: "user", signal } as const;
  const { progress, result } = pullerFor(manifest, settings).pull(request);
  const outcome = result.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (!json && !wasThere) tell(`Pulling ${nameOf(choice)}, ${sizeOf(progress.snapshot())}`);
  const display = await displayFor(json);
  // It ends with the pull, which the signal ends.
  const last = await shown(progress.watch(new AbortController().signal), display);
  const failure = await outcome;
  if (failure === undefined) {
    const nodes = await findRunningNodes(settings.home);
    await Promise.all(nodes.map(rescanModelsFolder));
    return tellDone({ choice, command, folder, last, wasThere, served: nodes.length > 0 });
  }
  if (signal.aborted) throw stopped(command.wanted, last);
  throw failure.error;
}

async function shown(
  snapshots: AsyncIterable<PullProgress>,
  display: PullDisplay,
): Promise<PullProgress> {
  let last: PullProgress | undefined;
  try {
    for await (const now of snapshots) {
      display.show(now);
      last = now;
    }
  } finally {
    display.end();
  }
  if (last === undefined) throw new Error("a pull told nothing of itself");
  return last;
}

/** Bars for a person who watches, lines for a log, events for a program. */
async function displayFor(json: boolean): Promise<PullDisplay> {
  if (json) return new ProgressEvents((text) => process.stdout.write(text));
  if (process.stderr.isTTY !== true) {
    return new ProgressLines((text) => process.stderr.write(text));
  }
  const { ProgressBars } = await import("../terminal/progressbar.ts");
  return new ProgressBars(process.stderr);
}

interface Done {
  choice: ModelSelection;
  command: PullCommand;
  folder: string;
  last: PullProgress;
  wasThere: boolean;
  /** A node runs. */
  served: boolean;
}

function tellDone({ choice, command, folder, last, wasThere, served }: Done): ExitCode {
  const { json } = command;
  const { model } = choice.manifest;
  const { quantization } = choice.candidate;
  if (json) {
    printLine(JSON.stringify({ ...last, quantization, folder }));
    return EXIT.ok;
  }
  const { green } = colorsFor(process.stdout);
  const what = wasThere ? "is here already" : "is here";
  printLine(`${green(nameOf(choice))} ${what}: ${sizeOf(last)} in ${folder}`);
  if (!served) tell("Serve it:      llmlb");
  tell(`Talk with it:  llmlb chat --model ${printable(model)}`);
  return EXIT.ok;
}

function stopped({ reference, filename }: ModelReference, last?: PullProgress): CliError {
  const file = filename === undefined ? "" : ` --file ${filename}`;
  const kept =
    last === undefined || last.bytes === 0 ? "" : ` ${amountText(last)} are here and kept.`;
  const advice = `To go on: llmlb pull ${reference}${file}`;
  return new CliError(`Stopped.${kept} ${advice}`, EXIT.interrupted);
}

function printFailure(model: string, error: string): void {
  const none = { bytes: 0, total_bytes: 0, rate_bytes_per_s: 0, eta_s: null, files: [] };
  const event: PullProgress = { model, state: "failed", file: null, ...none, error };
  printLine(JSON.stringify(event));
}

function pullerFor(manifest: Manifest, settings: Settings): Puller {
  const { hubUrl, hubToken, maxDownloadRateBytes } = settings;
  return new Puller({
    root: modelsFolder(settings),
    hubUrl,
    token: hubToken ?? undefined,
    // The setting, and the hub itself if it is another.
    origins: manifest.origin_allowlist,
    maxBytesPerSecond: maxDownloadRateBytes,
    onTrouble: (_, what, cause) => {
      tell(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`);
    },
  });
}

async function freeMemory(home: string, log: Logger): Promise<FreeMemory> {
  // Without devices that can be read, the host is what there is.
  const devices = await probeDevices({ home, log }).catch(() => []);
  return freeMemoryOf(devices, freemem());
}

async function areThere(folder: string, files: Artifact[]): Promise<boolean> {
  const sizes = await Promise.all(
    files.map(async ({ filename }) => {
      return (await stat(join(folder, localName(filename))).catch(() => undefined))?.size;
    }),
  );
  return sizes.every((size) => size !== undefined);
}

function nameOf({ manifest: { model }, candidate: { quantization } }: ModelSelection): string {
  const isFile = /\.gguf$/i.test(model);
  return printable(quantization === null || isFile ? model : `${model}:${quantization}`);
}

function sizeOf({ total_bytes: total }: PullProgress): string {
  return formatBytes(total);
}

/** For people, beside what was asked for. */
function tell(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}
