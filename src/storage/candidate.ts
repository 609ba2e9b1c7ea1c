import { localName, splitPartOf } from "../model/filename.ts";
import type { GgufRole } from "../model/ggufrole.ts";
import { fitsPlatform } from "../model/platform.ts";
import { preferredProjector, quantizationOf } from "../model/quantization.ts";
import { groupParts } from "../model/splitfile.ts";
import type { Artifact, Manifest } from "../wire/manifest.ts";
import { PullError } from "./pull/error.ts";

/** GGUF weights in one quantization, with all their parts. A node chooses one of several. */
export interface WeightsCandidate {
  /** The path without ending; of a split file also without its number. */
  name: string;
  /** The path without ending and number. */
  stem: string;
  quantization: string | null;
  artifacts: Artifact[];
  /** Of all parts; null if the hub does not say all sizes. */
  sizeBytes: number | null;
}

/** What a host can use. */
export interface HostPlatform {
  /** The engines that it has, e.g. `["llama_cpp"]`. */
  runtimes: string[];
  /** `process.platform`. */
  platform: string;
}

/** The artifacts of a manifest that are of use on a host. */
export function usableArtifacts(
  manifest: Manifest,
  { runtimes, platform }: HostPlatform,
): Artifact[] {
  return manifest.artifacts.filter((artifact) => {
    const runs =
      artifact.runtimes.length === 0 || artifact.runtimes.some((name) => runtimes.includes(name));
    return runs && fitsPlatform(localName(artifact.filename), platform);
  });
}

/** What GGUF files are for; see `ArtifactRoles`. */
export interface FileRoles {
  of(path: string): GgufRole;
}

/** The GGUF weights among artifacts, in their order. */
export function candidatesOf(artifacts: Artifact[], roles: FileRoles): WeightsCandidate[] {
  const weights = groupParts(withRole(artifacts, "model", roles), pathOf);
  const existing = weights.filter(({ files }) => files.length > 0);
  return existing.map(({ path, stem, files }) => {
    const parts = splitPartOf(path)?.parts;
    return {
      name: parts === undefined ? stem : `${stem} (${parts} parts)`,
      stem,
      // The name tells more than manifests of earlier versions, which lack marks such as UD.
      quantization: quantizationOf(path) ?? files[0]?.quantization ?? null,
      artifacts: files,
      sizeBytes: sizeOf(files),
    };
  });
}

/**
 * All files of a candidate in the order in which they are fetched: its weights and one image
 * projector. Throws `PullError` if two of them would get the same name.
 */
export function filesOf(
  { artifacts }: WeightsCandidate,
  all: Artifact[],
  roles: FileRoles,
): Artifact[] {
  const weightsPath = artifacts[0]?.filename ?? "";
  const projector = preferredProjector(withRole(all, "projector", roles), pathOf, weightsPath);
  const files = projector === undefined ? [...artifacts] : [...artifacts, projector];
  files.sort((a, b) => b.priority - a.priority);
  refuseTwins(files);
  return files;
}

function withRole(artifacts: Artifact[], role: GgufRole, roles: FileRoles): Artifact[] {
  return artifacts.filter(({ filename, format }) => {
    return format === "gguf" && roles.of(filename) === role;
  });
}

function pathOf({ filename }: Artifact): string {
  return filename;
}

function sizeOf(files: Artifact[]): number | null {
  let sum = 0;
  for (const { size_bytes: size } of files) {
    if (size === null) return null;
    sum += size;
  }
  return sum;
}

/** A node keeps all files in one folder, whatever folders of a repository they come from. */
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
