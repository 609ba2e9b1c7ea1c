import type { Wish } from "../storage/selection.ts";
import type { Manifest } from "../wire/manifest.ts";
import { idOf } from "./conflict.ts";
import type { HubClient } from "./hub.ts";
import { findModel } from "./lookup.ts";
import type { Reference } from "./reference.ts";
import { manifestOf } from "./view.ts";

export interface OfferOptions {
  reference: Reference;
  hub: HubClient;
  /** Where files may come from. */
  allowlist: readonly string[];
  signal: AbortSignal;
}

/** A model of the hub that nobody registered, and which of its files are meant. */
export interface Offer {
  manifest: Manifest;
  wish: Wish;
}

/**
 * Asks the hub what a reference offers. A file that is named is a model of its own,
 * `hf/org/repo/file.gguf`; a quantization is one among others of `hf/org/repo`, and lies with them.
 * Throws what `findModel` throws.
 */
export async function offerOf({ reference, hub, allowlist, signal }: OfferOptions): Promise<Offer> {
  const { repo: asked, revision: branch = "main", filename, quantization } = reference;
  const wanted = { hub, repo: asked, revision: branch, filename, devices: [] };
  const found = await findModel({ ...wanted, asker: "node", signal });
  const { repo, revision, filename: file, content } = found;
  const row = {
    ...{ id: idOf(repo, file), repo, filename: file, revision, content, aliases: [] },
    ...{ displayName: null, chatTemplate: null, ownTemplate: null, replicas: null, nodes: null },
    ...{ registeredAt: Date.now(), updatedAt: Date.now() },
  };
  const manifest = manifestOf({ row, content, revision, hubUrl: hub.url, allowlist, peers: [] });
  const isNamed = filename !== undefined || quantization !== undefined;
  return { manifest, wish: { quantization, isNamed } };
}
