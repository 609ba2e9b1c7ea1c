import { join } from "node:path";
import type { ZodType } from "zod";
import { baseUrl } from "../values/endpoint.ts";
import { absolutePathFrom } from "../values/path.ts";
import { bytes, nonEmptyText } from "../values/scalar.ts";
import { TEXTS_SHAPE, valueSchema } from "../values/schema.ts";
import type { FieldsOf } from "./field.ts";

/** Where models are downloaded from, and the folder they are stored in. */
export interface HubSettings {
  /** Base URL of the hub or of a mirror of it. */
  hubUrl: string;
  /** Sent to the hub by this process only, never to other processes; null: none. */
  hubToken: string | null;
  /** Patterns of the addresses model files may be downloaded from; see `specs/models.md`. */
  originAllowlist: string[];
  /** The models folder, absolute; null: `models` in the data folder. */
  modelsDir: string | null;
  /** Bytes per second for all downloads of a node together; 0: no limit. */
  maxDownloadRateBytes: number;
}

/** The folder that models are downloaded into, absolute. */
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

/** Whether a host, as `hostOf` returns it, is the public hub's: one of its names or below one. */
export function isHubHost(host: string): boolean {
  return /^(?:.+\.)?(?:huggingface\.co|hf\.co)$/.test(host);
}

const PATTERN = /^[^\s,]{1,512}$/;
const PATTERNS_MAX = 1000;

/** The fields of `HubSettings`; their aliases are the variables of Hugging Face's own tools. */
export const HUB_FIELDS: FieldsOf<HubSettings> = {
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
    aliases: ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"],
    secret: true,
    group: "Models",
    help: "Token for private and gated models of the hub; a balancer and its nodes have their own",
    schema: () => nonEmptyText("a token of the hub such as hf_…"),
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
    schema: (folder) => absolutePathFrom(folder),
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
  return valueSchema("must be a list of patterns such as huggingface.co/*,*.hf.co/*", (value) => {
    const items = typeof value === "string" ? value.split(",") : value;
    if (!Array.isArray(items)) return undefined;
    const given = items.map((item) => String(item).trim()).filter((item) => item !== "");
    return given.length <= PATTERNS_MAX && given.every((item) => PATTERN.test(item))
      ? given
      : undefined;
  }).meta({ shape: TEXTS_SHAPE });
}
