import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import { ownOrigins } from "../storage/pull/allowlist.ts";
import type { Manifest, Peer } from "../wire/manifest.ts";
import type { ModelContent } from "../wire/registry.ts";
import { resolveUrl } from "./hubclient.ts";

export interface ManifestParts {
  row: RegisteredRow;
  content: ModelContent;
  revision: string;
  hubUrl: string;
  allowlist: readonly string[];
  peers: Peer[];
}

/** The manifest of a model. Its addresses name a commit, so that all nodes get the same files. */
export function buildManifest(parts: ManifestParts): Manifest {
  const { row, content, revision, hubUrl, allowlist, peers } = parts;
  const { kind } = content;
  return {
    ...{ model: row.id, repo: row.repo, revision },
    format: kind === "mixed" ? null : kind === "gguf" ? "gguf" : "safetensors",
    quantization: content.quantization,
    ...(row.ownTemplate === null ? {} : { chat_template: row.ownTemplate }),
    artifacts: content.artifacts.map((artifact) => ({
      ...artifact,
      url: resolveUrl(hubUrl, row.repo, revision, artifact.filename),
    })),
    origin_allowlist: [...new Set([...allowlist, ...ownOrigins(hubUrl)])],
    peers,
    created_at: new Date(row.registeredAt).toISOString(),
  };
}
