import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import { ownOrigins } from "../storage/pull/allowlist.ts";
import type { Manifest, Peer } from "../wire/manifest.ts";
import type {
  HubModel,
  ModelContent,
  RegisteredDetail,
  RegisteredModel,
} from "../wire/registry.ts";
import { resolveUrl } from "./hub.ts";
import { requiredMemory } from "./memory.ts";

/** A registered model as lists show it. */
export function modelView(row: RegisteredRow, ready: boolean): RegisteredModel {
  const { content } = row;
  const size = content?.size_bytes ?? 0;
  const required = requiredMemory(size);
  return {
    id: row.id,
    name: row.id,
    status: content === null ? "pending" : "registered",
    ready,
    description: row.displayName ?? row.repo,
    display_name: row.displayName,
    ...{ repo: row.repo, filename: row.filename, revision: row.revision },
    ...{ kind: content?.kind ?? null, primary: content?.primary ?? null },
    quantization: content?.quantization ?? null,
    variants: content?.variants ?? [],
    ...{ size, size_bytes: size, required_memory: required, required_memory_bytes: required },
    source: sourceOf(content),
    tags: [...new Set([...formatTags(content), ...(content?.tags ?? [])])],
    architectures: content?.architectures ?? [],
    capabilities: content?.capabilities ?? ["text_generation"],
    chat_template: row.ownTemplate ?? row.chatTemplate,
    context_length: content?.context_length ?? null,
    ...{ aliases: row.aliases, replicas: row.replicas, nodes: row.nodes },
    gated: content !== null && content.gated !== false,
    private: content?.private ?? false,
    last_modified: content?.last_modified ?? null,
    registered_at: new Date(row.registeredAt).toISOString(),
  };
}

/** The same with all that is known. */
export function detailView(
  row: RegisteredRow,
  { ready, names }: { ready: boolean; names: readonly string[] },
): RegisteredDetail {
  const { others = [], warnings = [] } = row.content ?? {};
  return { ...modelView(row, ready), names: [...names], others, warnings };
}

/** A registered model as the dashboard lists it. */
export function hubView(row: RegisteredRow, ready: boolean): HubModel {
  const { content } = row;
  const view = modelView(row, ready);
  const { downloads, likes } = content ?? {};
  const counts = downloads === undefined || likes === undefined ? null : { downloads, likes };
  return {
    ...{ id: row.id, name: view.display_name ?? row.id, description: view.description },
    ...{ repo: row.repo, recommended_filename: content?.primary ?? row.filename ?? "" },
    ...{ size_bytes: view.size_bytes, required_memory_bytes: view.required_memory_bytes },
    ...{ tags: view.tags, capabilities: view.capabilities, quantization: view.quantization },
    status: ready ? "ready" : "registered",
    lifecycle_status: view.status,
    hf_info: counts,
  };
}

export interface ManifestParts {
  row: RegisteredRow;
  content: ModelContent;
  revision: string;
  hubUrl: string;
  allowlist: readonly string[];
  peers: Peer[];
}

/** Which files a model needs and where they are; the commit makes them the same for all nodes. */
export function manifestOf(parts: ManifestParts): Manifest {
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

function sourceOf(content: ModelContent | null): RegisteredModel["source"] {
  const kind = content?.kind ?? "gguf";
  return kind === "gguf" || kind === "mixed" ? "hf_gguf" : "hf_safetensors";
}

function formatTags(content: ModelContent | null): string[] {
  switch (content?.kind) {
    case undefined:
      return [];
    case "mixed":
      return ["gguf", "safetensors"];
    case "lora":
      return ["lora", "safetensors"];
    default:
      return [content?.kind ?? ""];
  }
}
