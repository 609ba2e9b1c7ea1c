import { join } from "node:path";
import { type ZodType, z } from "zod";
import type { Field, Inputs } from "./fields.ts";
import { baseUrl, bytes, path, text } from "./schemas.ts";

/** Where models come from, and where they lie. */
export interface HubSettings {
  /** Base URL of the hub or of a mirror of it. */
  hubUrl: string;
  /** What this process shows the hub; never handed on. */
  hubToken: string | null;
  /** Patterns of addresses that model files may come from; see `specs/models.md`. */
  originAllowlist: string[];
  /** The models folder, absolute; null: `models` in the data folder. */
  modelsDir: string | null;
  /** Bytes a second that all downloads of a node may take together; 0: as many as come. */
  maxDownloadRateBytes: number;
}

/** The folder that models are fetched into. */
export function modelsFolder({
  modelsDir,
  home,
}: {
  modelsDir: string | null;
  home: string;
}): string {
  return modelsDir ?? join(home, "models");
}

/** The hub itself and the hosts that it redirects to. */
export const ORIGINS_DEFAULT = [
  ...["huggingface.co/*", "*.huggingface.co/*"],
  ...["hf.co/*", "*.hf.co/*"],
] as const;

const PATTERN = /^[^\s,]{1,512}$/;
const PATTERNS_MAX = 1000;

/** The settings about the hub; the names that Hugging Face's own tools use are taken, too. */
export const HUB_FIELDS: { [K in keyof HubSettings]: Field<Inputs[K]> } = {
  hubUrl: {
    name: "hf_endpoint",
    flags: "--hf-endpoint <url>",
    aliases: ["HF_ENDPOINT", "HF_BASE_URL"],
    group: "Models",
    help: "Hugging Face hub, or a mirror of it, that models come from",
    schema: () => baseUrl(),
    fallback: () => "https://huggingface.co",
  },
  hubToken: {
    name: "hf_token",
    flags: "--hf-token <token>",
    aliases: ["HF_TOKEN"],
    secret: true,
    group: "Models",
    help: "Token for private and gated models of the hub; a balancer and its nodes have their own",
    schema: () => text("a token of the hub such as hf_…"),
    fallback: () => null,
    fallbackText: "none",
  },
  originAllowlist: {
    name: "origin_allowlist",
    flags: "--origin-allowlist <patterns>",
    aliases: ["XLLM_ORIGIN_ALLOWLIST", "LLM_ORIGIN_ALLOWLIST"],
    group: "Models",
    help: "Where model files may come from, redirects included; parted by commas, * is anything",
    schema: () => patterns(),
    fallback: () => [...ORIGINS_DEFAULT],
    fallbackText: "Hugging Face",
  },
  modelsDir: {
    name: "models_dir",
    flags: "--models-dir <folder>",
    aliases: ["XLLM_MODELS_DIR", "LLM_MODELS_DIR"],
    deprecated: ["LLM_MODELS_DIR"],
    group: "Models",
    help: "Folder of the models that were fetched, or put there",
    schema: (folder) => path(folder),
    fallback: () => null,
    fallbackText: "<home>/models",
  },
  maxDownloadRateBytes: {
    name: "max_download_rate",
    flags: "--max-download-rate <size>",
    group: "Models",
    help: "Bytes a second that a node's downloads may take together, e.g. 20MiB; 0: no limit",
    schema: () => bytes(0),
    fallback: () => 0,
    fallbackText: "no limit",
    unit: "bytes",
  },
};

function patterns(): ZodType<string[]> {
  return z.unknown().transform((value, ctx) => {
    const given = typeof value === "string" ? value.split(",") : value;
    const list = Array.isArray(given) ? given.map((one) => String(one).trim()) : ["?", ""];
    const named = list.filter((one) => one !== "");
    if (named.length <= PATTERNS_MAX && named.every((one) => PATTERN.test(one))) {
      if (Array.isArray(given)) return named;
    }
    ctx.addIssue("must be a list of patterns such as huggingface.co/*,*.hf.co/*");
    return z.NEVER;
  });
}
