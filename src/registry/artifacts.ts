import { isGguf } from "../model/filename.ts";
import { PREPARED_WEIGHTS } from "../model/platform.ts";
import { quantizationOf } from "../model/quantization.ts";
import type { ModelContent } from "../wire/registry.ts";
import type { RepoChoice } from "./repochoice.ts";
import type { RepoFile, RepoSnapshot } from "./reposnapshot.ts";

type ContentArtifact = ModelContent["artifacts"][number];

/** Small files that belong to safetensors weights; only the first two are required. */
const CONFIGS = [
  ...["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"],
  ...["special_tokens_map.json", "added_tokens.json", "tokenizer.model", "vocab.json"],
  ...["merges.txt", "chat_template.jinja", "preprocessor_config.json", "processor_config.json"],
];

/** The artifacts of a model, for its manifest; `shards` are those of its safetensors weights. */
export function artifactsOf(
  choice: RepoChoice,
  shards: RepoFile[],
  snapshot: RepoSnapshot,
): ContentArtifact[] {
  const { variants, projector, adapter } = choice;
  const artifacts = variants.flatMap(({ files, quantization }) =>
    files.map((file) => artifact(file, "gguf", { quantization, runtimes: ["llama_cpp"] })),
  );
  if (projector !== undefined) {
    const quantization = quantizationOf(projector.path) ?? null;
    const more = { quantization, runtimes: ["llama_cpp"], optional: true };
    artifacts.push(artifact(projector, "gguf", more));
  }
  artifacts.push(...safetensorsArtifacts(choice, shards, snapshot));
  for (const file of adapter) {
    if (isGguf(file.path)) artifacts.push(artifact(file, "gguf", { runtimes: ["llama_cpp"] }));
    else if (isConfig(file.path)) artifacts.push(artifact(file, "config", { priority: 10 }));
    else artifacts.push(artifact(file, "safetensors", {}));
  }
  return artifacts;
}

function safetensorsArtifacts(
  { safetensors }: RepoChoice,
  shards: RepoFile[],
  { files, architectures }: RepoSnapshot,
): ContentArtifact[] {
  if (safetensors === undefined) return [];
  const artifacts: ContentArtifact[] = [];
  const runtimes = [runtimeOf(architectures)];
  const named = (name: string) => files.find(({ path, size }) => path === name && size > 0);
  for (const name of CONFIGS) {
    const file = named(name);
    const optional = name !== "config.json" && name !== "tokenizer.json";
    if (file) artifacts.push(artifact(file, "config", { priority: 10, optional }));
  }
  if (safetensors.isIndex) artifacts.push(artifact(safetensors.primary, "config", { priority: 5 }));
  for (const shard of shards) artifacts.push(artifact(shard, "safetensors", { runtimes }));
  for (const [name, { format }] of Object.entries(PREPARED_WEIGHTS)) {
    const file = named(name);
    if (file) artifacts.push(artifact(file, format, { priority: 5, optional: true, runtimes }));
  }
  return artifacts;
}

function isConfig(path: string): boolean {
  return !/safetensors$/i.test(path);
}

function artifact(
  { path, size, sha256, gitOid }: RepoFile,
  format: ContentArtifact["format"],
  more: Partial<ContentArtifact>,
): ContentArtifact {
  return {
    ...{ filename: path, format, quantization: null, size_bytes: size, sha256, git_oid: gitOid },
    ...{ priority: 0, runtimes: [], optional: false },
    ...more,
  };
}

function runtimeOf(architectures: readonly string[]): string {
  const all = architectures.join(" ").toLowerCase();
  if (/gpt-?oss/.test(all)) return "gptoss_cpp";
  return /nemotron/.test(all) ? "nemotron_cpp" : "safetensors_cpp";
}
