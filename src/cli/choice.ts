import type { Settings } from "../config/settings.ts";
import { formatBytes } from "../config/units.ts";
import { idOf } from "../registry/conflict.ts";
import type { HubClient } from "../registry/hub.ts";
import { type Found, findModel } from "../registry/lookup.ts";
import { checkFilename, parseReference, type Reference } from "../registry/reference.ts";
import { manifestOf } from "../registry/view.ts";
import {
  chooseFit,
  contextOf,
  estimateMemory,
  type FitOptions,
  type FreeMemory,
} from "../storage/fit.ts";
import {
  type Candidate,
  candidatesOf,
  filesOf,
  usableArtifacts,
} from "../storage/pull/artifacts.ts";
import { PullError } from "../storage/pull/failure.ts";
import type { ModelShape } from "../storage/shape.ts";
import type { Artifact, Manifest } from "../wire/manifest.ts";
import { CliError } from "./exit.ts";

/** What a person asked for. */
export interface Wanted {
  /** `org/name`, `org/name:QUANT`, an address of the hub, or an `hf/…` id. */
  reference: string;
  /** One file of it. */
  filename?: string;
}

/** What is going to be fetched. */
export interface Choice {
  manifest: Manifest;
  candidate: Candidate;
  files: Artifact[];
  /** What a person should know of it. */
  notes: string[];
}

export interface ChoiceOptions {
  wanted: Wanted;
  settings: Pick<Settings, "hubUrl" | "originAllowlist" | "engineArgs">;
  hub: HubClient;
  /** Memory that is free on this host. Asked for only where it matters. */
  free(): Promise<FreeMemory>;
  /** What a file's metadata says of the model; see `Puller.header`. */
  shape(manifest: Manifest, artifact: Artifact): Promise<ModelShape | undefined>;
  signal: AbortSignal;
}

/** How this host runs models. */
const HOST = { runtimes: ["llama_cpp"], platform: process.platform };

/**
 * Which files of a repository are fetched.
 *
 * 1. A file that is named: that one, with all its parts. 2. A quantization that is named: that one.
 * 3. Else what fits into the free memory, Q4_K_M before others; see `chooseFit`.
 *
 * An image projector comes along. What is named is fetched even if it does not fit, with a note.
 * Throws `CliError` and `ApiError` that say what there is.
 */
export async function chooseModel(options: ChoiceOptions): Promise<Choice> {
  const { wanted, settings, hub, signal } = options;
  const { repo, revision = "main", filename, quantization } = referenceOf(wanted, hub.url);
  const found = await findModel({ hub, repo, revision, filename, devices: [], signal });
  const manifest = toManifest(found, settings);
  const usable = usableArtifacts(manifest, HOST);
  const all = candidatesOf(usable).filter(({ format }) => format === "gguf");
  if (all.length === 0) throw nothingToRun(found);
  const named = quantization === undefined ? all : withQuantization(found, all, quantization);
  const isNamed = quantization !== undefined || filename !== undefined;
  const { candidate, notes } = await fitting(options, { manifest, usable, all, named, isNamed });
  if (!isNamed) refuseTwin(found, all, candidate);
  if (found.repo !== repo) notes.push(`${repo} is called ${found.repo} on the hub.`);
  return { manifest, candidate, files: filesOf(candidate, usable), notes };
}

function referenceOf({ reference, filename }: Wanted, hubUrl: string): Reference {
  const parsed = parseReference(reference, hubUrl);
  if (filename === undefined) return parsed;
  const checked = checkFilename(filename);
  const other = parsed.filename ?? checked;
  if (parsed.quantization === undefined && other === checked) {
    return { ...parsed, filename: checked };
  }
  const given = parsed.quantization ?? other;
  throw new CliError(`${reference} names ${given}, and --file ${checked}: name one of them.`);
}

function toManifest(
  { repo, revision, filename, content, chatTemplate }: Found,
  { hubUrl, originAllowlist: allowlist }: ChoiceOptions["settings"],
): Manifest {
  const now = Date.now();
  const row = {
    ...{ id: idOf(repo, filename), repo, filename, revision, content, chatTemplate },
    ...{ displayName: null, replicas: null, nodes: null, aliases: [] },
    ...{ registeredAt: now, updatedAt: now },
  };
  return manifestOf({ row, content, revision, hubUrl, allowlist, peers: [] });
}

interface Candidates {
  manifest: Manifest;
  usable: Artifact[];
  all: Candidate[];
  /** Those of them that a person can have meant. */
  named: Candidate[];
  isNamed: boolean;
}

async function fitting(
  { free, shape, settings: { engineArgs: args } }: ChoiceOptions,
  { manifest, usable, all, named, isNamed }: Candidates,
): Promise<{ candidate: Candidate; notes: string[] }> {
  const [first] = named;
  const sample = named.toSorted(bySize)[0]?.artifacts[0];
  if (first === undefined || sample === undefined) throw new Error("there is nothing to choose");
  const [memory, described] = await Promise.all([free(), shape(manifest, sample)]);
  const own = new Set(first.artifacts);
  const beside = filesOf(first, usable).filter((file) => !own.has(file));
  const extraBytes = beside.reduce((sum, { size_bytes: size }) => sum + (size ?? 0), 0);
  const facts = { shape: described, args, free: memory, extraBytes };
  const fit = (candidates: Candidate[]) => fitOrWhy({ ...facts, candidates });
  const chosen = fit(named);
  if (typeof chosen !== "string") return { candidate: chosen, notes: [] };
  if (!isNamed) {
    throw new CliError(`${chosen}\nThere are: ${namesOf(all)}. One that is named is fetched \
anyway: llmlb pull ${manifest.repo}:${all.toSorted(bySize)[0]?.quantization ?? "QUANT"}`);
  }
  const smaller = all.filter((one) => bySize(one, first) < 0 && typeof fit([one]) !== "string");
  const advice = smaller.length === 0 ? "" : ` What fits: ${namesOf(smaller)}.`;
  return { candidate: first, notes: [`${tooLarge(first, { ...facts, candidates: [] })}${advice}`] };
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

function fitOrWhy(options: FitOptions): Candidate | string {
  try {
    return chooseFit(options).candidate;
  } catch (error) {
    if (error instanceof PullError) return error.message;
    throw error;
  }
}

function withQuantization({ repo }: Found, all: Candidate[], wanted: string): Candidate[] {
  const same = (one: Candidate) => one.quantization?.toUpperCase() === wanted.toUpperCase();
  const meant = all.filter(same);
  if (meant.length === 1) return meant;
  if (meant.length > 1) throw ambiguous(repo, wanted, meant);
  throw new CliError(`${repo} has no ${wanted}. There are: ${namesOf(all)}.`);
}

/** Of several models in one repository none is taken by chance. */
function refuseTwin({ repo }: Found, all: Candidate[], chosen: Candidate): void {
  const { quantization } = chosen;
  const twins = all.filter((one) => one.quantization === quantization);
  if (twins.length > 1) throw ambiguous(repo, quantization ?? "name without quantization", twins);
}

function ambiguous(repo: string, what: string, candidates: Candidate[]): CliError {
  const paths = candidates.map(({ artifacts }) => artifacts[0]?.filename ?? "").slice(0, 20);
  return new CliError(`${repo} has several files with ${what}: ${paths.join(", ")}. Name one: \
llmlb pull ${repo} --file ${paths[0]}`);
}

function nothingToRun({ repo, content: { kind } }: Found): CliError {
  if (kind === "lora") {
    return new CliError(`${repo} is an adapter (LoRA): it is no model by itself. Pull its base \
model, and convert the adapter to GGUF to use it with that.`);
  }
  return new CliError(`${repo} has no GGUF files, and llama.cpp runs nothing else here. Look for \
a repository with them, often called ${repo.split("/").at(-1)}-GGUF.`);
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
