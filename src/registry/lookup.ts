import { z } from "zod";
import type { DeviceInfo } from "../db/state/endpoint.ts";
import { preferredQuantization } from "../model/quantization.ts";
import { ApiError } from "../wire/error.ts";
import type { ModelContent } from "../wire/registry.ts";
import { artifactsOf } from "./artifacts.ts";
import { variantView } from "./ggufvariant.ts";
import type { DatedSnapshot, HubClient } from "./hubclient.ts";
import { HubError, hubApiError } from "./huberror.ts";
import { memoryWarnings } from "./memorywarning.ts";
import type { Reference } from "./reference.ts";
import { chooseRepoFiles, type RepoChoice } from "./repochoice.ts";
import { type RepoFile, type RepoSnapshot, templateFileOf } from "./reposnapshot.ts";
import { shardsByName, shardsOf } from "./safetensors.ts";

/** What the hub says about a model that is to be registered. */
export interface LookupResult {
  /** As the hub spells it. */
  repo: string;
  revision: string;
  /** The file that the request names; it becomes part of the model's id. */
  filename: string | null;
  content: ModelContent;
  chatTemplate: string | null;
  /** What was left out of the choice, and why. */
  notes: string[];
  /** Whether the answer may be out of date: the hub could not be reached. */
  stale: boolean;
}

export interface LookupOptions extends Pick<Reference, "filename" | "folder" | "quantization"> {
  hub: HubClient;
  repo: string;
  revision: string;
  /**
   * Devices of the registered endpoints, as far as they report them. Default: it is not said
   * whether the model fits them.
   */
  devices?: readonly DeviceInfo[] | undefined;
  /** Who sends the request: error messages say where to set HF_TOKEN. Default: a balancer. */
  asker?: "balancer" | "node";
  /** Whoever asks chooses among the repository's files later. Default: false. */
  choosesLater?: boolean;
  signal: AbortSignal;
}

const OTHERS_MAX = 100;

/** Asks the hub which files a model has. Throws `ApiError` (400, 403, 404, 502) with advice. */
export async function findModel(options: LookupOptions): Promise<LookupResult> {
  const { hub, repo, asker = "balancer" } = options;
  try {
    return await find(options);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw hubApiError(error, { repo, hubUrl: hub.url, hasToken: hub.hasToken, asker });
  }
}

async function find(options: LookupOptions): Promise<LookupResult> {
  const { hub, repo, revision, signal, devices } = options;
  const dated = await hub.snapshot(repo, revision, signal);
  const { snapshot, stale } = dated;
  const choice = chooseRepoFiles(snapshot, options);
  const [shards, chatTemplate] = await Promise.all([
    readShards(hub, snapshot, choice, signal),
    readTemplate(hub, snapshot, signal),
  ]);
  const content = contentOf(dated, { choice, shards, devices, repo, hub });
  const { filename, skipped: notes } = choice;
  const isStale = stale !== undefined;
  const { repo: name, revision: commit } = snapshot;
  return { repo: name, revision: commit, filename, content, chatTemplate, notes, stale: isStale };
}

async function readShards(
  hub: HubClient,
  snapshot: RepoSnapshot,
  { safetensors, variants }: RepoChoice,
  signal: AbortSignal,
): Promise<RepoFile[]> {
  if (safetensors === undefined) return [];
  if (!safetensors.isIndex) return [safetensors.primary];
  const { primary } = safetensors;
  const text = await hub.text(snapshot, primary, signal).catch((error: unknown) => error);
  const byName = shardsByName(primary, snapshot.files);
  // The nodes may have tokens that can read the index; names of files are public.
  const isHidden = text instanceof HubError && ["gated", "too_large"].includes(text.failure);
  if (isHidden && byName.length > 0) return byName;
  if (typeof text !== "string") throw text;
  const shards = shardsOf(text, primary, snapshot.files);
  if (typeof shards !== "string") return shards;
  // With GGUF files there is a model all the same.
  if (variants.length > 0) return [];
  throw new ApiError("invalid_request", `Choosing the model's files failed: ${shards}.`, {
    ...{ code: "unsuitable_repo", param: "filename" },
  });
}

const TokenizerConfig = z.looseObject({ chat_template: z.string() });

/** The chat template that the hub tells, else that of the repository; null if it has none. */
async function readTemplate(
  hub: HubClient,
  snapshot: RepoSnapshot,
  signal: AbortSignal,
): Promise<string | null> {
  if (snapshot.chatTemplate !== null) return snapshot.chatTemplate;
  const file = templateFileOf(snapshot);
  if (file === undefined) return null;
  try {
    const text = await hub.text(snapshot, file, signal);
    if (file.path.endsWith(".jinja")) return text;
    const parsed = TokenizerConfig.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.chat_template : null;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return null; // Gated, or no JSON: the nodes find the template in the weights themselves.
  }
}

interface ContentParts {
  choice: RepoChoice;
  shards: RepoFile[];
  devices: readonly DeviceInfo[] | undefined;
  /** As the request spells it. */
  repo: string;
  hub: HubClient;
}

function contentOf({ snapshot, stale }: DatedSnapshot, parts: ContentParts): ModelContent {
  const { choice, shards, devices } = parts;
  const { variants, safetensors, adapter } = choice;
  const preferred = preferredQuantization(variants);
  const shardBytes = sum([...shards, ...adapter]);
  const size = preferred?.sizeBytes ?? shardBytes;
  const choices = variants.map(({ sizeBytes }) => sizeBytes);
  if (safetensors !== undefined && shards.length > 0) choices.push(shardBytes);
  const smallest = choices.length === 0 ? size : Math.min(...choices);
  const isOne = variants.length === 1 && safetensors === undefined;
  const primary = preferred?.files[0] ?? safetensors?.primary ?? adapter.at(-1);
  return {
    kind: choice.kind === "mixed" && shards.length === 0 ? "gguf" : choice.kind,
    quantization: isOne ? (preferred?.quantization ?? null) : null,
    primary: primary?.path ?? "",
    size_bytes: size,
    artifacts: artifactsOf(
      shards.length > 0 ? choice : { ...choice, safetensors: undefined },
      shards,
      snapshot,
    ),
    variants: variants.map(variantView),
    others: othersIn(snapshot),
    ...{ tags: snapshot.tags, architectures: snapshot.architectures },
    capabilities: [capabilityOf(snapshot.pipelineTag)],
    ...{ private: snapshot.private, gated: snapshot.gated },
    ...{ downloads: snapshot.downloads, likes: snapshot.likes },
    ...{ last_modified: snapshot.lastModified, context_length: snapshot.contextLength },
    warnings: [
      ...accessWarnings(snapshot, parts),
      ...(stale === undefined
        ? []
        : [
            `The hub could not be asked: ${stale.message} What it told \
before was taken; it may be out of date.`,
          ]),
      ...choice.warnings,
      ...choice.skipped,
      ...(devices === undefined ? [] : memoryWarnings(smallest, devices)),
    ],
  };
}

function accessWarnings(
  { repo, private: isPrivate, gated }: RepoSnapshot,
  { repo: asked, hub }: ContentParts,
): string[] {
  const warnings: string[] = [];
  if (repo !== asked) warnings.push(`${asked} is called ${repo} on the hub`);
  if (isPrivate) warnings.push("The repository is private: set HF_TOKEN on every node");
  if (gated !== false) {
    warnings.push(`The repository is gated: accept its licence at ${hub.url}/${repo} and set \
HF_TOKEN to a token of that account on every node`);
  }
  return warnings;
}

function othersIn({ files }: RepoSnapshot): string[] {
  const paths = files.map(({ path }) => path);
  const isOther = (path: string) => /\.onnx$/i.test(path) || /(^|[-_./])lora[-_.]/i.test(path);
  return paths.filter(isOther).slice(0, OTHERS_MAX);
}

function capabilityOf(pipelineTag: string | null): string {
  switch (pipelineTag) {
    case "feature-extraction":
    case "sentence-similarity":
      return "embeddings";
    case "automatic-speech-recognition":
      return "speech_to_text";
    case "text-to-speech":
      return "text_to_speech";
    case "text-to-image":
      return "image_generation";
    default:
      return "text_generation";
  }
}

function sum(files: readonly RepoFile[]): number {
  return files.reduce((total, { size }) => total + size, 0);
}
