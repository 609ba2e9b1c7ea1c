import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { environment } from "../../config/environment.ts";
import { modelsFolder } from "../../config/fields/hub.ts";
import { sourceFolders } from "../../config/modelsources.ts";
import type { Settings } from "../../config/settings.ts";
import { formatBytes } from "../../config/units.ts";
import { probeDevices } from "../../engine/deviceprobe.ts";
import { closeIdleConnections } from "../../http/client/exchange.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { readHostMemory } from "../../lib/hostmemory.ts";
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
import { printable, printLine, printNote } from "../terminal/output.ts";
import { amountText } from "../terminal/progresstext.ts";
import { createPullDisplay, showProgress } from "../terminal/pulldisplay.ts";
import { ProgressEvents } from "../terminal/pullprogress.ts";
import { shellWord } from "../terminal/shellword.ts";
import { MemoryHubCache } from "./memoryhubcache.ts";
import { type ModelReference, type ModelSelection, selectModel } from "./modelselection.ts";
import { explainPullError } from "./pullerror.ts";
import { findRunningNodes, rescanModelsFolder } from "./runningnode.ts";

interface PullCommand {
  model: ModelReference;
  settings: Settings;
  /** Print events, one JSON object a line. */
  json: boolean;
  /** Stops the pull; the bytes so far are kept. */
  signal: AbortSignal;
  /** Gets the model's id instead of a person who reads what was done and how to go on. */
  onPulled?: (id: string) => void;
  /** The free memory. Default: that of this host. */
  free?: () => Promise<FreeMemory>;
}

/**
 * Downloads a model into the models folder. Throws `CliError` with advice. A pull that is stopped
 * keeps its bytes, and the next one resumes there.
 */
export async function pullLocalModel(command: PullCommand): Promise<ExitCode> {
  const { model, settings, json, signal } = command;
  const { hubUrl, hubToken } = settings;
  const context = { reference: model.reference, hubUrl, hasToken: hubToken !== null };
  try {
    const selection = await select(command);
    for (const note of selection.notes) printNote(note);
    return await fetchSelection(selection, command);
  } catch (error) {
    const isExplained = error instanceof CliError;
    const thrown =
      signal.aborted && !isExplained ? stopped(model) : explainPullError(error, context);
    if (json && thrown instanceof Error) printFailure(model.reference, thrown.message);
    throw thrown;
  } finally {
    closeIdleConnections();
  }
}

async function select(command: PullCommand): Promise<ModelSelection> {
  const { model, settings, signal } = command;
  const { hubUrl, hubToken: token, originAllowlist: allowlist, home } = settings;
  const log = createLogger({ level: "silent", readable: false });
  const hub = new HubClient({ hubUrl, token, allowlist, log, cache: new MemoryHubCache() });
  const { free = () => freeMemory(home, log) } = command;
  const header = (manifest: Manifest, artifact: Artifact) => {
    return pullerFor(manifest, settings).headerOrNone(manifest, artifact, signal);
  };
  return await selectModel({ model, settings, hub, free, header, signal });
}

async function fetchSelection(selection: ModelSelection, command: PullCommand): Promise<ExitCode> {
  const { settings, json, signal } = command;
  const { manifest, files, candidate } = selection;
  const root = modelsFolder(settings);
  const folder = join(root, directoryOf(manifest.model));
  const wasPresent = await arePresent(folder, files);
  await mkdir(settings.home, { recursive: true, mode: 0o700 });
  const { quantization } = candidate;
  const request = { manifest, files, quantization, placedBy: "user", signal } as const;
  const { progress, result } = pullerFor(manifest, settings).pull(request);
  const outcome = result.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (!json && !wasPresent)
    printNote(`Pulling ${nameOf(selection)}, ${sizeOf(progress.snapshot())}`);
  const display = json
    ? new ProgressEvents((text) => process.stdout.write(text))
    : await createPullDisplay();
  // The signal ends the pull, which ends these snapshots: they need no signal of their own.
  const last = await showProgress(progress.watch(new AbortController().signal), display);
  const failure = await outcome;
  if (failure === undefined) {
    const nodes = await findRunningNodes(settings.home);
    await Promise.all(nodes.map(rescanModelsFolder));
    return printOutcome({ selection, command, folder, last, wasPresent, served: nodes.length > 0 });
  }
  if (signal.aborted) throw stopped(command.model, last);
  throw failure.error;
}

interface PullOutcome {
  selection: ModelSelection;
  command: PullCommand;
  folder: string;
  last: PullProgress;
  wasPresent: boolean;
  /** A node runs from this data folder and serves the model. */
  served: boolean;
}

function printOutcome({
  selection,
  command,
  folder,
  last,
  wasPresent,
  served,
}: PullOutcome): ExitCode {
  const { json, onPulled } = command;
  const { model } = selection.manifest;
  const { quantization } = selection.candidate;
  if (onPulled !== undefined) {
    onPulled(model);
    return EXIT.ok;
  }
  if (json) {
    printLine(JSON.stringify({ ...last, quantization, folder }));
    return EXIT.ok;
  }
  const { green } = colorsFor(process.stdout);
  const what = wasPresent ? "is here already" : "is here";
  printLine(`${green(nameOf(selection))} ${what}: ${sizeOf(last)} in ${folder}`);
  if (!served) printNote("Serve it:      llmlb");
  printNote(`Talk with it:  llmlb chat --model ${shellWord(printable(model))}`);
  return EXIT.ok;
}

function stopped({ reference, filename }: ModelReference, last?: PullProgress): CliError {
  const file = filename === undefined ? "" : ` --file ${shellWord(filename)}`;
  const kept =
    last === undefined || last.bytes === 0 ? "" : ` ${amountText(last)} are here and kept.`;
  const advice = `To go on: llmlb pull ${shellWord(reference)}${file}`;
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
    // The origins of the setting, and the hub if it is another one.
    origins: manifest.origin_allowlist,
    maxBytesPerSecond: maxDownloadRateBytes,
    sources: sourceFolders(settings.modelSources, environment()),
    onTrouble: (_, what, cause) => {
      printNote(`${what}: ${errorMessage(cause)}`);
    },
  });
}

async function freeMemory(home: string, log: Logger): Promise<FreeMemory> {
  // If no device can be read, the memory of the host counts alone.
  const devices = await probeDevices({ home, log }).catch(() => []);
  return freeMemoryOf(devices, readHostMemory());
}

async function arePresent(folder: string, files: Artifact[]): Promise<boolean> {
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
