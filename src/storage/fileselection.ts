import { formatBytes } from "../config/units.ts";
import { isGguf, localName } from "../model/filename.ts";
import { ROLE_WORDS } from "../model/ggufrole.ts";
import { hyperparametersOf } from "../model/hyperparameters.ts";
import type { FreeMemory } from "../model/memory.ts";
import { isSameQuantization, weightsWithTag } from "../model/quantization.ts";
import type { Artifact, Manifest } from "../wire/manifest.ts";
import { ArtifactRoles, type HeaderReader } from "./artifactroles.ts";
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
  header: HeaderReader;
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
 * What its header says to be something else than a model is none, whatever its name. An image
 * projector is added. If two models of the repository have the chosen quantization, none is taken
 * by chance. Throws `PullError` that says what there is.
 */
export async function selectFiles(options: FileSelectionOptions): Promise<FileSelection> {
  const { manifest, isNamed, free } = options;
  const usable = usableArtifacts(manifest, HOST);
  const header = readOnce(options.header);
  const roles = new ArtifactRoles();
  await roles.readDoubtful(usable, header);
  for (;;) {
    const all = candidatesOf(usable, roles);
    if (all.length === 0) throw nothingToRun(manifest, roles);
    const requested = requestedOf(options, all);
    const [memory, unfit] = await Promise.all([free(), findUnfit(requested, roles, header)]);
    if (unfit !== undefined) {
      if (isNamed && requested.length === 1) throw noModel(manifest, unfit, roles);
      continue;
    }
    const parts = { usable, roles, all, requested, memory };
    const { candidate, notes } = await chooseCandidate({ ...options, header }, parts);
    const isChecked = candidate.quantization !== null || isNamed;
    if (!isChecked && (await findUnfit([candidate], roles, header)) !== undefined) continue;
    if (!isNamed) refuseTwin(manifest, all, candidate);
    const files = filesOf(candidate, usable, roles);
    return { candidate, files, notes: [...notes, ...roles.leftOut] };
  }
}

/** Reads each header once. */
function readOnce(header: HeaderReader): HeaderReader {
  const read = new Map<Artifact, ReturnType<HeaderReader>>();
  return (artifact) => {
    const metadata = read.get(artifact) ?? header(artifact);
    read.set(artifact, metadata);
    return metadata;
  };
}

function requestedOf(
  { manifest: { repo }, quantization }: FileSelectionOptions,
  all: WeightsCandidate[],
): WeightsCandidate[] {
  if (quantization === undefined) return all;
  const meant = weightsWithTag(all, quantization);
  if (meant.length === 1) return meant;
  if (meant.length > 1) throw ambiguous(repo, quantization, meant);
  throw refusal(`${repo} has no ${quantization}. There are: ${namesOf(all)}.`);
}

/** The smallest of candidates; it stands for all where a header is read. */
function sampleOf(candidates: WeightsCandidate[]): Artifact {
  const sample = candidates.toSorted(bySize)[0]?.artifacts[0];
  if (sample === undefined) throw new Error("there is nothing to choose");
  return sample;
}

/** The smallest candidate's file if its header says that it is no model; then it is none more. */
async function findUnfit(
  candidates: WeightsCandidate[],
  roles: ArtifactRoles,
  header: HeaderReader,
): Promise<Artifact | undefined> {
  const sample = sampleOf(candidates);
  return (await roles.read(sample, header)) === "model" ? undefined : sample;
}

interface Candidates {
  usable: Artifact[];
  roles: ArtifactRoles;
  all: WeightsCandidate[];
  /** Those of `all` that the request allows. */
  requested: WeightsCandidate[];
  memory: FreeMemory;
}

async function chooseCandidate(
  { manifest, isNamed, args, header }: FileSelectionOptions,
  { usable, roles, all, requested, memory }: Candidates,
): Promise<{ candidate: WeightsCandidate; notes: string[] }> {
  const [first] = requested;
  const metadata = await header(sampleOf(requested));
  if (first === undefined) throw new Error("there is nothing to choose");
  const weights = new Set(first.artifacts);
  const beside = filesOf(first, usable, roles).filter((file) => !weights.has(file));
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
  const message = `${why.message}\nThere are: ${namesOf(all)}.${advice}`;
  return new PullError(why.failure, message);
}

function tooLarge(
  { sizeBytes, quantization, name }: WeightsCandidate,
  conditions: EngineConditions,
): string {
  const { total } = estimateCandidate(sizeBytes ?? 0, conditions);
  return `${quantization ?? name} takes about ${formatBytes(total)} of memory, but \
${freeMemoryText(conditions.free)} are free: it may not run here now.`;
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

/** The error for a file whose header says that it is no model: it may have a model's name. */
function noModel({ repo }: Manifest, { filename }: Artifact, roles: ArtifactRoles): PullError {
  return refusal(`${filename} of ${repo} is ${ROLE_WORDS[roles.of(filename)]}: it is no model by \
itself. Name the model that it belongs to.`);
}

function nothingToRun(manifest: Manifest, roles: ArtifactRoles): PullError {
  const { model, repo, artifacts } = manifest;
  const names = artifacts.map(({ filename }) => filename);
  const gguf = names.filter(isGguf);
  const hasAdapter = gguf.some((name) => roles.of(name) === "adapter");
  if (names.some((name) => localName(name) === "adapter_config.json") || hasAdapter) {
    return refusal(`${model} is an adapter (LoRA): it is no model by itself. Take its base model; \
an adapter that was converted to GGUF is used with that: -- --lora <file>.`);
  }
  const companions = gguf.map((name) => `${name} is ${ROLE_WORDS[roles.of(name)]}`).slice(0, 5);
  if (companions.length > 0) {
    return refusal(`${model} has no model that can be run: ${companions.join("; ")}.`);
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
