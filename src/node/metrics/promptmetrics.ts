import { Counter, Gauge, type Registry } from "prom-client";
import type { KeptCount } from "../prompts/promptcounts.ts";

/** What is told of the prompts of ended engines. */
export interface PromptReading {
  files: readonly { model: string; bytes: number }[];
  counts: { byModel: ReadonlyMap<string, KeptCount> };
}

/** Models with files that are told; the store may have more. */
const MODELS_MAX = 500;

/** Adds what became of prompts on disk, and what they take, by model. */
export function addPromptMetrics(registry: Registry, { files, counts }: PromptReading): void {
  const shared = { labelNames: ["model"], registers: [registry] };
  const counter = (name: string, help: string, of: (count: KeptCount) => number) => {
    const metric = new Counter({ name, help, ...shared });
    for (const [model, count] of counts.byModel) metric.inc({ model }, of(count));
  };
  counter("llmlb_prompts_saved_total", "Prompts of ended engines put on disk", (c) => c.saved);
  counter("llmlb_prompts_restored_total", "Prompts read back from disk", (c) => c.restored);
  counter(
    "llmlb_prompt_tokens_restored_total",
    "Tokens that need not be computed because of that",
    (c) => c.restoredTokens,
  );
  counter("llmlb_prompts_damaged_total", "Files of prompts that were not whole", (c) => c.damaged);
  const disk = new Gauge({
    ...{ name: "llmlb_prompt_disk_bytes", help: "Disk that prompts take" },
    ...shared,
  });
  const models = new Set<string>();
  for (const { model, bytes } of files) {
    if (!models.has(model) && models.size >= MODELS_MAX) continue;
    models.add(model);
    disk.inc({ model }, bytes);
  }
}
