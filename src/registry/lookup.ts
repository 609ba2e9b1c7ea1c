import { z } from "zod";
import type { DeviceInfo } from "../db/state/endpoint.ts";
import { ApiError } from "../wire/error.ts";
import type { ModelContent } from "../wire/registry.ts";
import { artifactsOf, type Choice, choose, variantView, type Wish } from "./artifacts.ts";
import { HubError, toApiError } from "./failure.ts";
import type { HubClient, Known } from "./hub.ts";
import { memoryWarnings } from "./memory.ts";
import { shardsByName, shardsOf } from "./safetensors.ts";
import { type RepoFile, type Snapshot, templateFileOf } from "./snapshot.ts";
import { preferredOf } from "./weights.ts";

/** What was found out about a model that is to be registered. */
export interface Found {
  /** As the hub spells it. */
  repo: string;
  revision: string;
  /** Part of the id. */
  filename: string | null;
  content: ModelContent;
  chatTemplate: string | null;
  /** The hub could not be asked. */
  stale: boolean;
}

export interface LookupOptions extends Wish {
  hub: HubClient;
  repo: string;
  revision: string;
  /** Devices of the endpoints, as far as they told. */
  devices: readonly DeviceInfo[];
  /** Who asks, for what is told of access. Default: a balancer. */
  asker?: "balancer" | "node";
  signal: AbortSignal;
}

const OTHERS_MAX = 100;

/** Asks the hub what a model is made of. Throws `ApiError` that says what to do. */
export async function findModel(options: LookupOptions): Promise<Found> {
  const { hub, repo, asker = "balancer" } = options;
  try {
    return await find(options);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw toApiError(error, { repo, hubUrl: hub.url, hasToken: hub.hasToken, asker });
  }
}

async function find(options: LookupOptions): Promise<Found> {
  const { hub, repo, revision, signal, devices } = options;
  const known = await hub.look(repo, revision, signal);
  const { snapshot, stale } = known;
  const choice = choose(snapshot, options);
  const [shards, chatTemplate] = await Promise.all([
    readShards(hub, snapshot, choice, signal),
    readTemplate(hub, snapshot, signal),
  ]);
  const content = contentOf(known, { choice, shards, devices, repo, hub });
  const { filename } = choice;
  const isStale = stale !== undefined;
  const { repo: name, revision: commit } = snapshot;
  return { repo: name, revision: commit, filename, content, chatTemplate, stale: isStale };
}

async function readShards(
  hub: HubClient,
  snapshot: Snapshot,
  { safetensors, variants }: Choice,
  signal: AbortSignal,
): Promise<RepoFile[]> {
  if (safetensors === undefined) return [];
  if (!safetensors.isIndex) return safetensors.shards;
  const { primary } = safetensors;
  const text = await hub.text(snapshot, primary, signal).catch((error: unknown) => error);
  const byName = shardsByName(primary, snapshot.files);
  // The nodes have tokens of their own; names are shown to everybody.
  const isHidden = text instanceof HubError && ["gated", "too_large"].includes(text.failure);
  if (isHidden && byName.length > 0) return byName;
  if (typeof text !== "string") throw text;
  const shards = shardsOf(text, primary, snapshot.files);
  if (typeof shards !== "string") return shards;
  // Nothing is lost where there is GGUF, too; else there is no model.
  if (variants.length > 0) return [];
  throw new ApiError("invalid_request", `Choosing the model's files failed: ${shards}.`, {
    ...{ code: "unsuitable_repo", param: "filename" },
  });
}

const TokenizerConfig = z.looseObject({ chat_template: z.string() });

/** The chat template, where the hub itself does not tell it. A model without one is fine, too. */
async function readTemplate(
  hub: HubClient,
  snapshot: Snapshot,
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
  choice: Choice;
  shards: RepoFile[];
  devices: readonly DeviceInfo[];
  /** As it was asked for. */
  repo: string;
  hub: HubClient;
}

function contentOf({ snapshot, stale }: Known, parts: ContentParts): ModelContent {
  const { choice, shards, devices } = parts;
  const { variants, safetensors, adapter } = choice;
  const preferred = preferredOf(variants);
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
      ...memoryWarnings(smallest, devices),
    ],
  };
}

function accessWarnings(
  { repo, private: isPrivate, gated }: Snapshot,
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

function othersIn({ files }: Snapshot): string[] {
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
