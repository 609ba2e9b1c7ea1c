import { hubModelId } from "../model/name.ts";
import type { FileRequest } from "../storage/fileselection.ts";
import type { Manifest } from "../wire/manifest.ts";
import type { HubClient } from "./hubclient.ts";
import { findModel } from "./lookup.ts";
import { buildManifest } from "./manifest.ts";
import type { Reference } from "./reference.ts";

export interface PullTargetOptions {
  reference: Reference;
  hub: HubClient;
  /** Patterns of where files may come from; see `isAllowed`. */
  allowlist: readonly string[];
  signal: AbortSignal;
}

/** What is to be pulled: the manifest of a model, and which of its files are requested. */
export interface PullTarget {
  manifest: Manifest;
  request: FileRequest;
  /** What the person who asked should know about the choice. */
  notes: string[];
}

/**
 * Asks the hub about a model that need not be registered. A reference to a file means a model of
 * its own, `hf/org/repo/file.gguf`; one to a quantization means the model `hf/org/repo`, which may
 * have others in the same folder. Throws as `findModel` does.
 */
export async function findPullTarget({
  reference,
  hub,
  allowlist,
  signal,
}: PullTargetOptions): Promise<PullTarget> {
  const { repo: asked, revision: branch = "main", filename, folder, quantization } = reference;
  const lookup = {
    hub,
    repo: asked,
    revision: branch,
    filename,
    folder,
    quantization,
    devices: [],
  };
  const found = await findModel({ ...lookup, asker: "node", choosesLater: true, signal });
  const { repo, revision, filename: file, content, notes } = found;
  const row = {
    ...{ id: hubModelId(repo, file), repo, filename: file, revision, content, aliases: [] },
    ...{ displayName: null, chatTemplate: null, ownTemplate: null, replicas: null, nodes: null },
    settings: null,
    ...{ registeredAt: Date.now(), updatedAt: Date.now() },
  };
  const manifest = buildManifest({ row, content, revision, hubUrl: hub.url, allowlist, peers: [] });
  const isOne = folder !== undefined && content.variants.length === 1;
  const isNamed = file !== null || quantization !== undefined || isOne;
  // A file that is named is the one with the quantization.
  const wanted = file === null ? quantization : undefined;
  return { manifest, request: { quantization: wanted, isNamed }, notes };
}
