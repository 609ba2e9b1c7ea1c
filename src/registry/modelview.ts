import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import { requiredMemory } from "../model/memory.ts";
import type {
  HubModel,
  ModelContent,
  RegisteredDetail,
  RegisteredModel,
} from "../wire/registry.ts";

/** A registered model as the API lists it. `ready`: an online endpoint has it. */
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
    settings: row.settings,
    gated: content !== null && content.gated !== false,
    private: content?.private ?? false,
    last_modified: content?.last_modified ?? null,
    registered_at: new Date(row.registeredAt).toISOString(),
  };
}

/** A registered model as the API shows it alone: with its names and warnings. */
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
