import { fitOf, type NodeMemory } from "../model/fit.ts";
import { requiredMemory } from "../model/memory.ts";
import { hubModelId } from "../model/name.ts";
import type { ModelPreview, PreviewChoice } from "../wire/preview.ts";
import type { ModelContent } from "../wire/registry.ts";
import type { HubClient } from "./hubclient.ts";
import { findModel, type LookupResult } from "./lookup.ts";
import type { Reference } from "./reference.ts";

/** A node that models go to. */
export interface PreviewNode extends NodeMemory {
  name: string;
  /** Memory that no loaded model has, in bytes; undefined: it does not tell. */
  free: number | undefined;
}

export interface PreviewOptions {
  hub: HubClient;
  nodes: readonly PreviewNode[];
  /** Whether there is a model of an id already. */
  isRegistered(id: string): boolean;
  signal: AbortSignal;
}

const FILES_MAX = 1000;

/**
 * What a reference could be registered as: the repository as a whole and each of its weights, with
 * their sizes, and whether they fit the nodes. Throws as `findModel` does.
 */
export async function previewModel(
  reference: Reference,
  options: PreviewOptions,
): Promise<ModelPreview> {
  const { hub, nodes, signal } = options;
  const { repo, revision = "main", filename, folder, quantization } = reference;
  const at = { hub, repo, revision, signal };
  const found = await findModel({ ...at, filename, folder, quantization });
  // A repository that is no model as a whole may have a file that is one.
  const whole = found.filename === null ? found : await findModel(at).catch(() => undefined);
  const shown = whole ?? found;
  const { content } = shown;
  const makeChoice = (weights: Weights) => choiceOf(weights, { reference, found, ...options });
  return {
    ...{ repo: found.repo, revision: found.revision, kind: content.kind },
    selected: found.filename,
    choices: weightsOf(whole, found).map(makeChoice),
    files: content.artifacts
      .slice(0, FILES_MAX)
      .map(({ filename: name, size_bytes }) => ({ filename: name, size_bytes })),
    nodes: nodes.map(({ name, all = null, free = null }) => {
      return { name, memory_bytes: all, free_bytes: free };
    }),
    ...{ gated: content.gated !== false, private: content.private },
    ...{ capabilities: content.capabilities, context_length: content.context_length },
    ...{ downloads: content.downloads, likes: content.likes },
    ...{ last_modified: content.last_modified, warnings: content.warnings, stale: shown.stale },
  };
}

interface Weights {
  filename: string | null;
  quantization: string | null;
  sizeBytes: number;
  /** What the smallest of them takes that a node may choose. */
  leastBytes: number;
}

/** What can be registered: the whole, then its files; one that is the whole is not told twice. */
function weightsOf(whole: LookupResult | undefined, found: LookupResult): Weights[] {
  const all = whole === undefined ? [] : [weightsOfWhole(whole.content)];
  const variants = (whole ?? found).content.variants.map((variant) => {
    const { filename, quantization, size_bytes: sizeBytes } = variant;
    return { filename, quantization, sizeBytes, leastBytes: sizeBytes };
  });
  const isSame = whole !== undefined && whole.content.kind === "gguf" && variants.length === 1;
  const named = found.filename;
  if (named === null) return [...all, ...(isSame ? [] : variants)];
  if (variants.some(({ filename }) => filename === named)) return [...all, ...variants];
  return [...all, { ...weightsOfWhole(found.content), filename: named }, ...variants];
}

function weightsOfWhole({ quantization, size_bytes, variants }: ModelContent): Weights {
  const leastBytes = Math.min(size_bytes, ...variants.map((one) => one.size_bytes));
  return { filename: null, quantization, sizeBytes: size_bytes, leastBytes };
}

function choiceOf(
  { filename, quantization, sizeBytes, leastBytes }: Weights,
  parts: Pick<PreviewOptions, "nodes" | "isRegistered"> & {
    reference: Reference;
    found: LookupResult;
  },
): PreviewChoice {
  const { reference, found, nodes, isRegistered } = parts;
  const id = hubModelId(found.repo, filename);
  return {
    ...{ filename, quantization, id, size_bytes: sizeBytes },
    required_memory_bytes: requiredMemory(sizeBytes),
    registered: isRegistered(id),
    register: { repo: textOf(found, reference, filename), filename },
    fits: nodes.map((node) => fitOf(leastBytes, node)),
  };
}

/** The repository at the revision of a reference; what is no file is all of its folder. */
function textOf(
  { repo, filename: named }: LookupResult,
  { revision, folder }: Reference,
  filename: string | null,
): string {
  const isInFolder = folder !== undefined && named === null && filename === null;
  const within = isInFolder ? `/${folder}` : "";
  if (revision === undefined && within === "") return repo;
  return `${repo}/tree/${encodeURIComponent(revision ?? "main")}${within}`;
}
