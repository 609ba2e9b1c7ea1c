import {
  fitsPlatform,
  ggufRole,
  ggufStem,
  isGguf,
  isSameQuantization,
  localName,
  splitPartOf,
} from "../../model/filename.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import { PullError } from "./failure.ts";

/** Weights in one quantization, all parts of them: what a node chooses among. */
export interface Candidate {
  /** The name of the file, or of the first part without its number. */
  name: string;
  format: "gguf" | "safetensors";
  quantization: string | null;
  artifacts: Artifact[];
  /** Of all parts; null if the hub does not say all sizes. */
  sizeBytes: number | null;
}

/** What engines there are on a host, and what platform it is. */
export interface Host {
  /** E.g. `["llama_cpp"]`. */
  runtimes: string[];
  /** `process.platform`. */
  platform: string;
}

/** The artifacts of a manifest that are of use on a host. */
export function usableArtifacts(manifest: Manifest, { runtimes, platform }: Host): Artifact[] {
  return manifest.artifacts.filter((artifact) => {
    const runs =
      artifact.runtimes.length === 0 || artifact.runtimes.some((name) => runtimes.includes(name));
    return runs && fitsPlatform(localName(artifact.filename), platform);
  });
}

/** The weights that there are to choose among, in the manifest's order. */
export function candidatesOf(artifacts: Artifact[]): Candidate[] {
  const sets = new Map<string, Candidate>();
  for (const artifact of artifacts) {
    const { filename, format, quantization } = artifact;
    if (format !== "gguf" && format !== "safetensors") continue;
    const name = localName(filename);
    if (format === "gguf" && ggufRole(name) !== "model") continue;
    const folder = filename.slice(0, -name.length);
    const key = format === "gguf" ? `${folder}${setName(name)}` : "safetensors";
    const set = sets.get(key) ?? { name: key, format, quantization, artifacts: [], sizeBytes: 0 };
    sets.set(key, set);
    set.artifacts.push(artifact);
    set.sizeBytes =
      set.sizeBytes === null || artifact.size_bytes === null
        ? null
        : set.sizeBytes + artifact.size_bytes;
  }
  return [...sets.values()];
}

function setName(name: string): string {
  const stem = ggufStem(name);
  const parts = splitPartOf(name)?.parts;
  return parts === undefined ? stem : `${stem} (${parts} parts)`;
}

/** Of several projectors, in this order; the engine takes one. */
const PROJECTORS = ["F16", "BF16", "F32"];

/**
 * All files of a chosen candidate in the order in which they are to be fetched: its weights, one
 * image projector beside a GGUF file, the small files beside safetensors. Throws `PullError` if two
 * of them would get the same name.
 */
export function filesOf(candidate: Candidate, artifacts: Artifact[]): Artifact[] {
  const chosen = new Set(candidate.artifacts);
  const projectors = artifacts.filter((artifact) => isGgufOf(artifact, "projector"));
  const projector =
    PROJECTORS.map((wanted) =>
      projectors.find(({ quantization }) => isSameQuantization(quantization, wanted)),
    ).find((found) => found !== undefined) ?? projectors[0];
  if (candidate.format === "gguf" && projector !== undefined) chosen.add(projector);
  for (const artifact of artifacts) {
    const small = artifact.format !== "gguf" && artifact.format !== "safetensors";
    if (candidate.format === "safetensors" && small) chosen.add(artifact);
  }
  const files = [...chosen].sort((a, b) => b.priority - a.priority);
  refuseTwins(files);
  return files;
}

function isGgufOf({ filename, format }: Artifact, role: "projector" | "adapter"): boolean {
  const name = localName(filename);
  return format === "gguf" && isGguf(name) && ggufRole(name) === role;
}

/** Files of different folders of a repository come to lie in one. */
function refuseTwins(files: Artifact[]): void {
  const names = new Map<string, string>();
  for (const { filename } of files) {
    const name = localName(filename).toLowerCase();
    const twin = names.get(name);
    if (twin !== undefined) {
      const message = `Pulling the model failed: ${twin} and ${filename} would get the same name.`;
      throw new PullError("no_artifact", message);
    }
    names.set(name, filename);
  }
}
