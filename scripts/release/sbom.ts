import { Enums, Models, Serialize, SPDX, Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { z } from "zod";
import { VARIANTS } from "./files.ts";
import { PackageLock, packagesOf } from "./lockpackages.ts";
import type { FileSum } from "./sums.ts";

/** What an SBOM is made from: files of the repository, as they were read. */
export interface SbomSources {
  version: string;
  /** When the release was made. */
  date: Date;
  /** `package-lock.json` */
  lock: unknown;
  /** `native/sources.json` */
  sources: unknown;
  /** `native/plugins.json` */
  plugins: unknown;
  /** Addresses of the repository. */
  repository: string;
  /** The executables of the release. */
  executables: readonly FileSum[];
}

const Sources = z.object({
  llama_cpp: z.string(),
  node_llama_cpp: z.string(),
  packages: z.record(z.string(), z.string()),
});

const Plugins = z
  .object({ version: z.string() })
  .catchall(
    z.record(
      z.string(),
      z.object({ package: z.string(), archive: z.object({ integrity: z.string() }) }),
    ),
  );

const FORMAT = Spec.Spec1dot6;

/**
 * What a release is made of, as CycloneDX 1.6: npm's packages inside, Bun, llama.cpp, its libraries
 * and its backends for GPUs. Throws where the format's own schema finds a fault.
 */
export async function sbomOf(sources: SbomSources): Promise<string> {
  const bom = new Models.Bom({ serialNumber: `urn:uuid:${crypto.randomUUID()}` });
  const program = programOf(sources);
  bom.metadata.timestamp = sources.date;
  bom.metadata.component = program;
  addPackages(bom, program, sources.lock);
  for (const component of [...runtimes(sources.lock), ...nativeParts(sources)]) {
    bom.components.add(component);
    program.dependencies.add(component.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(FORMAT));
  const text = `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
  const fault = await new Validation.JsonStrictValidator(FORMAT.version).validate(text);
  if (fault === null) return text;
  throw new Error(`Making the SBOM: it is no CycloneDX: ${JSON.stringify(fault).slice(0, 500)}`);
}

function programOf({ version, repository, executables }: SbomSources): Models.Component {
  const program = new Models.Component(Enums.ComponentType.Application, "llmlb", {
    ...{ version, bomRef: `llmlb@${version}` },
    licenses: licensesOf("MIT"),
    externalReferences: new Models.ExternalReferenceRepository([
      new Models.ExternalReference(repository, Enums.ExternalReferenceType.VCS),
    ]),
  });
  for (const { name, sha256 } of executables) {
    const hashes = new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], sha256]]);
    program.components.add(
      new Models.Component(Enums.ComponentType.File, name, { hashes, bomRef: `file:${name}` }),
    );
  }
  return program;
}

function addPackages(bom: Models.Bom, program: Models.Component, lock: unknown): void {
  const packages = packagesOf(lock);
  const components = new Map([["", program]]);
  const known = new Map<string, Models.Component>();
  for (const [place, found] of packages) {
    if (place === "") continue;
    const component = npmComponent(found);
    // One version of a package can lie in several places.
    const first = known.get(String(component.bomRef.value)) ?? component;
    known.set(String(component.bomRef.value), first);
    components.set(place, first);
    bom.components.add(first);
  }
  for (const [place, { uses }] of packages) {
    const from = components.get(place);
    for (const used of uses) {
      const to = components.get(used);
      if (from !== undefined && to !== undefined) from.dependencies.add(to.bomRef);
    }
  }
}

interface NpmPackage {
  name: string;
  version: string;
  integrity?: string | undefined;
  license?: string | undefined;
  description?: string;
}

function npmComponent(found: NpmPackage): Models.Component {
  const { version, integrity, license, description } = found;
  const [name = "", group] = found.name.split("/").reverse();
  const scope = group === undefined ? "" : `${encodeURIComponent(group)}/`;
  const purl = `pkg:npm/${scope}${name}@${version}`;
  const component = new Models.Component(Enums.ComponentType.Library, name, {
    ...{ version, purl, bomRef: purl },
    ...(group === undefined ? {} : { group }),
    ...(description === undefined ? {} : { description }),
  });
  if (license !== undefined) component.licenses = licensesOf(license);
  if (integrity?.startsWith("sha512-")) {
    const digits = Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
    component.hashes.set(Enums.HashAlgorithm["SHA-512"], digits);
  }
  return component;
}

function licensesOf(text: string): Models.LicenseRepository {
  const isId = SPDX.isSupportedSpdxId(text);
  const license = isId ? new Models.SpdxLicense(text) : new Models.LicenseExpression(text);
  return new Models.LicenseRepository([license]);
}

/** The Bun in each of the executables. */
function runtimes(lock: unknown): Models.Component[] {
  const { packages } = PackageLock.parse(lock);
  const names = new Set(VARIANTS.map(({ target }) => target.bunPackage));
  return [...names].map((name) => {
    const { version = "", integrity } = packages[`node_modules/${name}`] ?? {};
    const description = "The runtime that an executable is built upon";
    return npmComponent({ name, version, integrity, license: "MIT", description });
  });
}

/** llama.cpp, the packages with its libraries, and those with backends for GPUs. */
function nativeParts(from: Pick<SbomSources, "sources" | "plugins">): Models.Component[] {
  const sources = Sources.parse(from.sources);
  const { version, ...platforms } = Plugins.parse(from.plugins);
  const tag = sources.llama_cpp;
  const purl = `pkg:github/ggml-org/llama.cpp@${tag}`;
  const llama = new Models.Component(Enums.ComponentType.Library, "llama.cpp", {
    ...{ version: tag, purl, bomRef: purl, licenses: licensesOf("MIT") },
    description: "Its server core, with the patches of native/patches",
  });
  const packages = [
    ...Object.entries(sources.packages).map(([name, integrity]) => {
      return { name, version: sources.node_llama_cpp, integrity };
    }),
    ...Object.values(platforms).flatMap((backends) =>
      Object.values(backends).map((pin) => {
        return { name: pin.package, version, integrity: pin.archive.integrity };
      }),
    ),
  ];
  const description = "llama.cpp as source, or its libraries for a platform";
  const components = packages.map((found) =>
    npmComponent({ ...found, license: "MIT", description }),
  );
  return [llama, ...components];
}
