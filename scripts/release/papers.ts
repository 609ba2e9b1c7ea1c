import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "tar";
import plugins from "../../native/plugins.json" with { type: "json" };
import sources from "../../native/sources.json" with { type: "json" };
import pkg from "../../package.json" with { type: "json" };
import lock from "../../package-lock.json" with { type: "json" };
import { Release } from "../../src/cli/update/feed.ts";
import { digestOf } from "../../src/lib/filedigest.ts";
import { publicKeyOf, signFeed } from "../feed/signing.ts";
import { ROOT } from "../native/sources.ts";
import { makeDeb } from "../packages/debian.ts";
import { type ChangelogSection, changelogOf, notesOf } from "./changelog.ts";
import { mapsFolder } from "./executables.ts";
import { fileNames, releaseFiles, VARIANTS, type VariantName } from "./files.ts";
import { sectionsOf } from "./history.ts";
import { sbomOf } from "./sbom.ts";
import { type FileSum, sumsText } from "./sums.ts";

export interface JoinOptions {
  /** The folder of the release, with its executables. */
  out: string;
  version: string;
  date: Date;
  /** Private keys as PEM that sign the feed; without one there is no feed. */
  keys: readonly string[];
}

/** An executable that lies in the folder of a release. */
interface Executable extends FileSum {
  variant: VariantName;
  size_bytes: number;
}

/**
 * Makes all that goes along with the executables which lie in the folder of a release: packages,
 * source maps, changelog, SBOM, sums and the feed. Throws where an executable does not believe the
 * keys that sign the feed. Returns the names of all files.
 */
export async function joinRelease(options: JoinOptions): Promise<string[]> {
  const { out, version, date, keys } = options;
  const names = releaseFiles(version);
  const executables = await executablesIn(out, version);
  if (executables.length === 0) {
    throw new Error(`Joining the release in ${out}: it has no executable of ${version}.`);
  }
  await refuseStrangers(out, version);
  for (const { name } of executables) await checkKeys(join(out, name), keys);
  await makeDebs(options, executables);
  await copyFile(join(ROOT, "scripts/packages/install.sh"), join(out, names.installer));
  await packMaps(out, join(out, names.sourceMaps));
  const day = date.toISOString().slice(0, 10);
  const sections = await sectionsOf(ROOT, { version, date: day });
  await writeFile(join(out, names.changelog), changelogOf(sections));
  const repository = pkg.repository;
  const sbom = await sbomOf({ version, date, lock, sources, plugins, repository, executables });
  await writeFile(join(out, names.sbom), sbom);
  await writeFile(join(out, names.sums), await sumsOf(out, version, executables));
  await rm(join(out, names.feed), { force: true });
  if (keys.length > 0) {
    const feed = feedOf({ version, day, executables, keys, section: sections[0] });
    await writeFile(join(out, names.feed), feed);
  }
  return (await readdir(out)).sort();
}

async function executablesIn(out: string, version: string): Promise<Executable[]> {
  const { executables } = releaseFiles(version);
  const found: Executable[] = [];
  for (const { name: variant } of VARIANTS) {
    const name = executables[variant];
    const path = join(out, name);
    if (await Bun.file(path).exists()) found.push({ variant, name, ...(await digestOf(path)) });
  }
  return found;
}

/** Which executable Debian's packages hold, by its architectures. */
const DEB_VARIANTS = { amd64: "linux-x64", arm64: "linux-arm64" } as const;

/** Makes those packages whose executable is there, on a machine that can make any. */
async function makeDebs(
  { out, version, date }: JoinOptions,
  executables: readonly Executable[],
): Promise<void> {
  if (Bun.which("dpkg-deb") === null) return;
  for (const arch of ["amd64", "arm64"] as const) {
    const executable = executables.find(({ variant }) => variant === DEB_VARIANTS[arch]);
    if (executable === undefined) continue;
    await makeDeb({ program: join(out, executable.name), arch, version, date, out });
  }
}

/** All that lies in the folder is published: nothing else may be there. */
async function refuseStrangers(out: string, version: string): Promise<void> {
  const known = new Set(fileNames(version));
  const strangers = (await readdir(out)).filter((name) => !known.has(name));
  if (strangers.length === 0) return;
  throw new Error(`Joining the release in ${out}: remove ${strangers.join(", ")}, no part of it.`);
}

/** One that does not believe a key would never go on as a release that it signs. */
async function checkKeys(path: string, keys: readonly string[]): Promise<void> {
  const bytes = Buffer.from(await Bun.file(path).arrayBuffer());
  for (const key of keys.map(publicKeyOf)) {
    if (bytes.includes(key)) continue;
    throw new Error(`Signing the feed: ${path} does not believe ${key}: build it with that key.`);
  }
}

async function packMaps(out: string, file: string): Promise<void> {
  const folder = mapsFolder(out);
  const maps = (await readdir(folder)).filter((name) => name.endsWith(".map")).sort();
  if (maps.length === 0) throw new Error(`Packing source maps: there are none in ${folder}.`);
  await create({ file, cwd: folder, gzip: true, portable: true }, maps);
}

/** Of all files but itself and the feed, which may be signed anew with another key. */
async function sumsOf(
  out: string,
  version: string,
  executables: readonly FileSum[],
): Promise<string> {
  const { sums, feed } = releaseFiles(version);
  const names = (await readdir(out)).filter((name) => name !== sums && name !== feed);
  const files = names.map(async (name) => {
    const known = executables.find((executable) => executable.name === name);
    return known ?? { name, sha256: (await digestOf(join(out, name))).sha256 };
  });
  return sumsText(await Promise.all(files));
}

interface FeedSources {
  version: string;
  day: string;
  executables: readonly Executable[];
  keys: readonly string[];
  section: ChangelogSection | undefined;
}

function feedOf({ version, day, executables, keys, section }: FeedSources): string {
  const files = executables.map(({ variant, name, ...digest }) => {
    return { platform: variant, url: name, ...digest };
  });
  const notes = section === undefined ? {} : { notes: notesOf(section) };
  const release = Release.parse({ format: 1, version, released_at: day, files, ...notes });
  return signFeed(release, keys);
}
