import { formatBytes } from "../config/units.ts";
import { ggufRole, isGguf, localName } from "../model/filename.ts";
import type { GgufMetadata } from "../model/gguf.ts";
import { hyperparametersOf } from "../model/hyperparameters.ts";
import type { FreeMemory } from "../model/memory.ts";
import { isSameQuantization } from "../model/quantization.ts";
import type { Artifact, Manifest } from "../wire/manifest.ts";
import { candidatesOf, filesOf, usableArtifacts, type WeightsCandidate } from "./candidate.ts";
import { PullError } from "./pull/error.ts";
import {
  chooseQuantization,
  type EngineConditions,
  estimateCandidate,
  freeMemoryText,
} from "./quantizationchoice.ts";

/** Which of a model's files are requested. */
export interface FileRequest {
  /** The quantization that the request names. */
  quantization?: string | undefined;
  /** A person named a file or a quantization: it is fetched even if it does not fit. */
  isNamed: boolean;
}

export interface FileSelectionOptions extends FileRequest {
  manifest: Manifest;
  /** llama-server's arguments. */
  args: string[];
  /** Memory that is free on this host. */
  free(): Promise<FreeMemory>;
  /** Reads a GGUF file's metadata; undefined if it cannot be read: then sizes alone decide. */
  header(artifact: Artifact): Promise<GgufMetadata | undefined>;
}

/** The files that are to be fetched. */
export interface FileSelection {
  candidate: WeightsCandidate;
  files: Artifact[];
  /** What the person who asked should know about the choice. */
  notes: string[];
}

/** What this host can run. */
const HOST = { runtimes: ["llama_cpp"], platform: process.platform };

/**
 * Which files of a model are fetched.
 *
 * 1. A quantization that is named: that one.
 * 2. A file that is named: that one, with a note if it does not fit.
 * 3. Else what fits into the free memory, Q4_K_M before others; see `chooseQuantization`.
 *
 * An image projector is added. If two models of the repository have the chosen quantization, none
 * is taken by chance. Throws `PullError` that says what there is.
 */
export async function selectFiles(options: FileSelectionOptions): Promise<FileSelection> {
  const { manifest, quantization, isNamed } = options;
  const usable = usableArtifacts(manifest, HOST);
  const all = candidatesOf(usable);
  if (all.length === 0) throw nothingToRun(manifest);
  const requested =
    quantization === undefined ? all : withQuantization(manifest, all, quantization);
  const { candidate, notes } = await chooseCandidate(options, { usable, all, requested });
  if (!isNamed) refuseTwin(manifest, all, candidate);
  return { candidate, files: filesOf(candidate, usable), notes };
}

interface Candidates {
  usable: Artifact[];
  all: WeightsCandidate[];
  /** Those of `all` that the request allows. */
  requested: WeightsCandidate[];
}

async function chooseCandidate(
  { manifest, isNamed, args, free, header }: FileSelectionOptions,
  { usable, all, requested }: Candidates,
): Promise<{ candidate: WeightsCandidate; notes: string[] }> {
  const [first] = requested;
  const sample = requested.toSorted(bySize)[0]?.artifacts[0];
  if (first === undefined || sample === undefined) throw new Error("there is nothing to choose");
  const [memory, metadata] = await Promise.all([free(), header(sample)]);
  refuseNoModel(manifest, sample, metadata);
  const weights = new Set(first.artifacts);
  const beside = filesOf(first, usable).filter((file) => !weights.has(file));
  const conditions = {
    ...{ args, free: memory, hyperparameters: metadata && hyperparametersOf(metadata) },
    extraBytes: beside.reduce((sum, { size_bytes: size }) => sum + (size ?? 0), 0),
  };
  const fits = (candidates: WeightsCandidate[]) => fitOrRefusal(candidates, conditions);
  const chosen = fits(requested);
  if (!(chosen instanceof PullError)) return { candidate: chosen, notes: [] };
  if (!isNamed) throw nothingFits(manifest, all, chosen);
  const smaller = all.filter(
    (one) => bySize(one, first) < 0 && !(fits([one]) instanceof PullError),
  );
  const advice = smaller.length === 0 ? "" : ` What fits: ${namesOf(smaller)}.`;
  return { candidate: first, notes: [`${tooLarge(first, conditions)}${advice}`] };
}

function fitOrRefusal(
  candidates: WeightsCandidate[],
  conditions: EngineConditions,
): WeightsCandidate | PullError {
  try {
    return chooseQuantization(candidates, conditions).candidate;
  } catch (error) {
    if (error instanceof PullError) return error;
    throw error;
  }
}

function nothingFits(
  { repo, quantization }: Manifest,
  all: WeightsCandidate[],
  why: PullError,
): PullError {
  const smallest = all.toSorted(bySize)[0]?.quantization;
  const name = smallest == null || quantization !== null ? undefined : `${repo}:${smallest}`;
  const advice = name === undefined ? "" : ` One that is named is fetched anyway: ${name}`;
  return refusal(`${why.message}\nThere are: ${namesOf(all)}.${advice}`);
}

function tooLarge(
  { sizeBytes, quantization, name }: WeightsCandidate,
  conditions: EngineConditions,
): string {
  const { total } = estimateCandidate(sizeBytes ?? 0, conditions);
  return `${quantization ?? name} takes about ${formatBytes(total)} of memory, but \
${freeMemoryText(conditions.free)} are free: it may not run here now.`;
}

function withQuantization(
  { repo }: Manifest,
  all: WeightsCandidate[],
  name: string,
): WeightsCandidate[] {
  const meant = all.filter((one) => isSameQuantization(one.quantization, name));
  if (meant.length === 1) return meant;
  if (meant.length > 1) throw ambiguous(repo, name, meant);
  throw refusal(`${repo} has no ${name}. There are: ${namesOf(all)}.`);
}

function refuseTwin({ repo }: Manifest, all: WeightsCandidate[], chosen: WeightsCandidate): void {
  const { quantization } = chosen;
  const twins = all.filter((one) => isSameQuantization(one.quantization, quantization));
  if (twins.length > 1) throw ambiguous(repo, quantization ?? "name without quantization", twins);
}

function ambiguous(repo: string, what: string, candidates: WeightsCandidate[]): PullError {
  const paths = candidates.map(({ artifacts }) => artifacts[0]?.filename ?? "").slice(0, 20);
  return refusal(`${repo} has several files with ${what}: ${paths.join(", ")}. Name one of them: \
${repo}/${paths[0]}`);
}

/** Refuses a file whose metadata says that it is no model: an adapter may have a model's name. */
function refuseNoModel(
  { repo }: Manifest,
  { filename }: Artifact,
  metadata: GgufMetadata | undefined,
) {
  const type = metadata?.get("general.type");
  if (type !== "adapter" && type !== "mmproj") return;
  const what = type === "adapter" ? "an adapter (LoRA)" : "an image projector";
  throw refusal(`${filename} of ${repo} is ${what}: it is no model by itself. Name the model that \
it belongs to.`);
}

function nothingToRun({ model, repo, artifacts }: Manifest): PullError {
  const names = artifacts.map(({ filename }) => localName(filename));
  const isAdapter = (name: string) =>
    name === "adapter_config.json" || (isGguf(name) && ggufRole(name) === "adapter");
  if (names.some(isAdapter)) {
    return refusal(`${model} is an adapter (LoRA): it is no model by itself. Take its base model; \
an adapter that was converted to GGUF is used with that: -- --lora <file>.`);
  }
  return refusal(`${model} cannot be run on this machine: llama.cpp runs GGUF files, and it has \
no GGUF files. Look for a repository with them, often called ${repo.split("/").at(-1)}-GGUF; an \
endpoint of another kind may serve it as it is.`);
}

function refusal(message: string): PullError {
  return new PullError("no_artifact", message);
}

const NAMED_MAX = 30;

function namesOf(candidates: WeightsCandidate[]): string {
  const names = candidates.toSorted(bySize).map(({ quantization, name, sizeBytes }) => {
    const size = sizeBytes === null ? "size unknown" : formatBytes(sizeBytes);
    return `${quantization ?? name} (${size})`;
  });
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : "";
  return `${names.slice(0, NAMED_MAX).join(", ")}${more}`;
}

function bySize(a: WeightsCandidate, b: WeightsCandidate): number {
  return (a.sizeBytes ?? 0) - (b.sizeBytes ?? 0);
}
