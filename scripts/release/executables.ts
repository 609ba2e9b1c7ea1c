import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "../build.ts";
import { hostTarget, type Target } from "../native/target.ts";
import { releaseFiles, VARIANTS, type Variant } from "./files.ts";
import { tableOf } from "./table.ts";

export interface ExecutableOptions {
  /** The folder of the release. */
  out: string;
  version: string;
  /** Public keys that the executables believe, parted by commas; "" for none. */
  releaseKeys: string;
}

/** The folder with the source maps of what is in a release's folder; packed when it is joined. */
export function mapsFolder(out: string): string {
  return `${out}.maps`;
}

/**
 * Builds executables of a release into its folder, and their source maps beside it; says what each
 * consists of.
 */
export async function buildExecutables(
  variants: readonly Variant[],
  { out, version, releaseKeys }: ExecutableOptions,
): Promise<void> {
  await mkdir(out, { recursive: true });
  await mkdir(mapsFolder(out), { recursive: true });
  for (const { name, target, backends } of variants) {
    const file = releaseFiles(version).executables[name];
    const path = join(out, file);
    const contents = await build(target, path, {
      ...{ version, releaseKeys, variant: name, backends },
      sourceMap: join(mapsFolder(out), `${file}.map`),
    });
    await chmod(path, 0o755);
    process.stdout.write(`\n${file}\n${tableOf(contents)}\n`);
  }
}

/** The variants that can be built on this machine: its own, and those with a cross compiler. */
export function variantsHere(): Variant[] {
  return VARIANTS.filter(({ target }) => isBuiltHere(target));
}

function isBuiltHere({ name, crossCompiler }: Target): boolean {
  if (name === hostTarget().name) return true;
  if (process.platform !== "linux" || crossCompiler === undefined) return false;
  return Bun.which(crossCompiler) !== null;
}
