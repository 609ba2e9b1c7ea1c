import type { PluginName } from "../../src/engine/plugin/pin.ts";
import { TARGETS, type Target, type TargetName } from "../native/target.ts";

/** One executable of a release: what it is for, and what is inside. */
export interface Variant {
  /** As feeds and files name it. */
  name: VariantName;
  target: Target;
  /** Backends for GPUs that come with it, the best one first. */
  backends: PluginName[];
}

export type VariantName = TargetName | "linux-x64-cuda";

/** All executables of a release. */
export const VARIANTS: readonly Variant[] = [
  { name: "linux-x64", target: TARGETS["linux-x64"], backends: ["vulkan"] },
  { name: "linux-x64-cuda", target: TARGETS["linux-x64"], backends: ["cuda", "vulkan"] },
  { name: "linux-arm64", target: TARGETS["linux-arm64"], backends: [] },
  { name: "darwin-arm64", target: TARGETS["darwin-arm64"], backends: [] },
  { name: "windows-x64", target: TARGETS["windows-x64"], backends: [] },
];

/** The names of what lies in the folder of a release, all of it beside each other. */
export interface ReleaseFiles {
  executables: Record<VariantName, string>;
  /** Debian's packages, by Debian's names of architectures. */
  debs: Record<"amd64" | "arm64", string>;
  /** SHA-256 of all the others but the feed, as `sha256sum` writes it. */
  sums: string;
  /** CycloneDX. */
  sbom: string;
  sourceMaps: string;
  changelog: string;
  /** What `llmlb update` reads. */
  feed: string;
  installer: string;
}

/** The files of the release of a version. */
export function releaseFiles(version: string): ReleaseFiles {
  const entries = VARIANTS.map(({ name, target }) => {
    return [name, `llmlb-${version}-${name}${target.suffix}`] as const;
  });
  return {
    executables: Object.fromEntries(entries) as Record<VariantName, string>,
    debs: { amd64: `llmlb_${version}_amd64.deb`, arm64: `llmlb_${version}_arm64.deb` },
    sums: "SHA256SUMS",
    sbom: `llmlb-${version}.sbom.json`,
    sourceMaps: `llmlb-${version}.map.tar.gz`,
    changelog: "CHANGELOG.md",
    feed: "feed.json",
    installer: "install.sh",
  };
}

/** The names of all files of the release of a version. */
export function fileNames(version: string): string[] {
  const { executables, debs, ...others } = releaseFiles(version);
  return [executables, debs, others].flatMap((names) => Object.values(names));
}

/** The variant with a name. Throws for unknown names. */
export function variantOf(name: string): Variant {
  const found = VARIANTS.find((variant) => variant.name === name);
  if (found !== undefined) return found;
  const known = VARIANTS.map((variant) => variant.name).join(", ");
  throw new Error(`Making a release: ${name} is no platform of it, use some of ${known}.`);
}
