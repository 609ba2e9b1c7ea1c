import { formatBytes } from "../config/units.ts";
import { ggufRole, isSameQuantization, localName } from "../model/filename.ts";
import type { GgufHeader } from "../model/gguf.ts";
import { hyperparametersOf } from "../model/hyperparameters.ts";
import {
  chooseFit,
  contextOf,
  estimateMemory,
  type Fit,
  type FitOptions,
  type FreeMemory,
} from "../model/memory.ts";
import type { Artifact, Manifest } from "../wire/manifest.ts";
import { type Candidate, candidatesOf, filesOf, usableArtifacts } from "./pull/artifacts.ts";
import { PullError } from "./pull/failure.ts";

/** Which of a model's files are meant. */
export interface Wish {
  /** The quantization that was asked for by its name. */
  quantization?: string | undefined;
  /** A person named a file or a quantization: then it is fetched even if it does not fit. */
  isNamed: boolean;
}

export interface SelectionOptions extends Wish {
  manifest: Manifest;
  /** llama-server's arguments. */
  args: string[];
  /** Memory that is free on this host. */
  free(): Promise<FreeMemory>;
  /** What a file says of itself; undefined if it cannot be read: then sizes alone decide. */
  header(artifact: Artifact): Promise<GgufHeader | undefined>;
}

/** What is going to be fetched. */
export interface Selection {
  candidate: Candidate;
  files: Artifact[];
  /** What a person should know of it. */
  notes: string[];
}

/** How this host runs models. */
const HOST = { runtimes: ["llama_cpp"], platform: process.platform };

/**
 * Which files of a model are fetched.
 *
 * 1. A quantization that is named: that one.
 * 2. What else was named, if there is only that: that, with a note if it does not fit.
 * 3. Else what fits into the free memory, Q4_K_M before others; see `chooseFit`.
 *
 * An image projector comes along. Of several models in one repository none is taken by chance.
 * Throws `PullError` that says what there is.
 */
export async function selectFiles(options: SelectionOptions): Promise<Selection> {
  const { manifest, quantization, isNamed } = options;
  const usable = usableArtifacts(manifest, HOST);
  const all = candidatesOf(usable).filter(({ format }) => format === "gguf");
  if (all.length === 0) throw nothingToRun(manifest);
  const meant = quantization === undefined ? all : withQuantization(manifest, all, quantization);
  const { candidate, notes } = await fitting(options, { usable, all, meant });
  if (!isNamed) refuseTwin(manifest, all, candidate);
  return { candidate, files: filesOf(candidate, usable), notes };
}

interface Candidates {
  usable: Artifact[];
  all: Candidate[];
  /** Those of them that can be meant. */
  meant: Candidate[];
}

async function fitting(
  { manifest, isNamed, args, free, header }: SelectionOptions,
  { usable, all, meant }: Candidates,
): Promise<{ candidate: Candidate; notes: string[] }> {
  const [first] = meant;
  const sample = meant.toSorted(bySize)[0]?.artifacts[0];
  if (first === undefined || sample === undefined) throw new Error("there is nothing to choose");
  const [memory, described] = await Promise.all([free(), header(sample)]);
  refuseNoModel(manifest, sample, described);
  const shape = described && hyperparametersOf(described);
  const own = new Set(first.artifacts);
  const beside = filesOf(first, usable).filter((file) => !own.has(file));
  const extraBytes = beside.reduce((sum, { size_bytes: size }) => sum + (size ?? 0), 0);
  const facts = { shape, args, free: memory, extraBytes };
  const fit = (candidates: Candidate[]) => fitOrWhy({ ...facts, candidates });
  const chosen = fit(meant);
  if (!(chosen instanceof PullError)) return { candidate: chosen.candidate, notes: [] };
  if (!isNamed) throw nothingFits(manifest, all, chosen);
  const smaller = all.filter((one) => bySize(one, first) < 0 && !(fit([one]) instanceof PullError));
  const advice = smaller.length === 0 ? "" : ` What fits: ${namesOf(smaller)}.`;
  return { candidate: first, notes: [`${tooLarge(first, { ...facts, candidates: [] })}${advice}`] };
}

function fitOrWhy(options: FitOptions): Fit | PullError {
  try {
    return chooseFit(options);
  } catch (error) {
    if (error instanceof PullError) return error;
    throw error;
  }
}

function nothingFits({ repo, quantization }: Manifest, all: Candidate[], why: PullError) {
  const smallest = all.toSorted(bySize)[0]?.quantization;
  const name = smallest == null || quantization !== null ? undefined : `${repo}:${smallest}`;
  const advice = name === undefined ? "" : ` One that is named is fetched anyway: ${name}`;
  return refusal(`${why.message}\nThere are: ${namesOf(all)}.${advice}`);
}

function tooLarge({ sizeBytes, quantization, name }: Candidate, facts: FitOptions): string {
  const { shape, args, extraBytes } = facts;
  const { device, host } = facts.free;
  const weights = (sizeBytes ?? 0) + extraBytes;
  const { total } =
    shape === undefined
      ? { total: weights }
      : estimateMemory(shape, contextOf(args, shape), weights);
  const gpus = device > 0 ? `${formatBytes(device)} of GPU memory and ` : "";
  return `${quantization ?? name} takes about ${formatBytes(total)} of memory, but ${gpus}\
${formatBytes(host)} of host memory are free: it may not run here now.`;
}

function withQuantization({ repo }: Manifest, all: Candidate[], wanted: string): Candidate[] {
  const same = (one: Candidate) => isSameQuantization(one.quantization, wanted);
  const meant = all.filter(same);
  if (meant.length === 1) return meant;
  if (meant.length > 1) throw ambiguous(repo, wanted, meant);
  throw refusal(`${repo} has no ${wanted}. There are: ${namesOf(all)}.`);
}

function refuseTwin({ repo }: Manifest, all: Candidate[], chosen: Candidate): void {
  const { quantization } = chosen;
  const twins = all.filter((one) =>
    quantization === null
      ? one.quantization === null
      : isSameQuantization(one.quantization, quantization),
  );
  if (twins.length > 1) throw ambiguous(repo, quantization ?? "name without quantization", twins);
}

function ambiguous(repo: string, what: string, candidates: Candidate[]): PullError {
  const paths = candidates.map(({ artifacts }) => artifacts[0]?.filename ?? "").slice(0, 20);
  return refusal(`${repo} has several files with ${what}: ${paths.join(", ")}. Name one of them: \
${repo}/${paths[0]}`);
}

/** Names do not always say it: an adapter may be called as a model is. */
function refuseNoModel({ repo }: Manifest, { filename }: Artifact, header: GgufHeader | undefined) {
  const type = header?.metadata.get("general.type");
  if (type !== "adapter" && type !== "mmproj") return;
  const what = type === "adapter" ? "an adapter (LoRA)" : "an image projector";
  throw refusal(`${filename} of ${repo} is ${what}: it is no model by itself. Name the model that \
it belongs to.`);
}

function nothingToRun({ model, repo, artifacts }: Manifest): PullError {
  const names = artifacts.map(({ filename }) => localName(filename));
  const isAdapter = (name: string) =>
    name === "adapter_config.json" || (/\.gguf$/i.test(name) && ggufRole(name) === "adapter");
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

function namesOf(candidates: Candidate[]): string {
  const names = candidates.toSorted(bySize).map(({ quantization, name, sizeBytes }) => {
    const size = sizeBytes === null ? "size unknown" : formatBytes(sizeBytes);
    return `${quantization ?? name} (${size})`;
  });
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : "";
  return `${names.slice(0, NAMED_MAX).join(", ")}${more}`;
}

function bySize(a: Candidate, b: Candidate): number {
  return (a.sizeBytes ?? 0) - (b.sizeBytes ?? 0);
}
