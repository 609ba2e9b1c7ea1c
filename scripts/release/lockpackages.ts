import { z } from "zod";

/** The parts of package-lock.json that tell what is inside an executable. */
export const PackageLock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** A package that the program is made of. */
export interface LockPackage {
  name: string;
  version: string;
  /** `sha512-…` in base64. */
  integrity?: string | undefined;
  /** An SPDX expression. */
  license?: string | undefined;
  /** Keys of the packages that it uses, in the same list. */
  uses: string[];
}

/**
 * The packages that package-lock.json has for the program, by their places; what is for its
 * development is left out. The program itself has the key "".
 */
export function packagesOf(lock: unknown): Map<string, LockPackage> {
  const { packages } = PackageLock.parse(lock);
  const places = new Set(Object.keys(packages).filter((place) => packages[place]?.dev !== true));
  const found = new Map<string, LockPackage>();
  for (const place of places) {
    const { version = "", integrity, license, ...rest } = packages[place] ?? {};
    const names = Object.keys({ ...rest.dependencies, ...rest.optionalDependencies });
    const uses = names.flatMap((name) => placeOf(name, place, places) ?? []);
    const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
    found.set(place, { name: place === "" ? "" : name, version, integrity, license, uses });
  }
  return found;
}

/** Where a package finds another one: in its own folder, or in the nearest around it. */
function placeOf(name: string, from: string, places: Set<string>): string | undefined {
  for (let folder = from; ; ) {
    const place = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (places.has(place)) return place;
    if (folder === "") return undefined;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
  }
}
