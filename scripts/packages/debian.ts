// A package for Debian and Ubuntu, made without root:
//   bun scripts/packages/debian.ts --program dist/llmlb-linux-arm64 --arch arm64 --out dist
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { copyFile, rename, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import pkg from "../../package.json" with { type: "json" };
import { errorMessage } from "../../src/lib/errormessage.ts";
import { releaseFiles } from "../release/files.ts";
import { controlFiles } from "./debian/control.ts";
import { type PackageFile, PROGRAM_PATH, packageFiles } from "./debian/tree.ts";

type DebArch = keyof ReturnType<typeof releaseFiles>["debs"];

export interface DebOptions {
  /** The executable that it is to hold, for that architecture. */
  program: string;
  arch: DebArch;
  version: string;
  /** When the release was made; the dates in the package. */
  date: Date;
  /** Folder that it is put into. */
  out: string;
}

/**
 * Makes the package, with the program, its service, its settings, completions and a manual page;
 * returns its path. Needs `dpkg-deb`, and no root. Throws if that fails.
 */
export async function makeDeb(options: DebOptions): Promise<string> {
  const { program, arch, version, date, out } = options;
  const path = join(out, releaseFiles(version).debs[arch]);
  const folder = mkdtempSync(join(tmpdir(), "llmlb-deb-"));
  try {
    const root = join(folder, "root");
    const files = packageFiles({ version, date });
    for (const file of files) write(root, file);
    mkdirSync(dirname(join(root, PROGRAM_PATH)), { recursive: true });
    await copyFile(program, join(root, PROGRAM_PATH));
    chmodSync(join(root, PROGRAM_PATH), 0o755);
    const sizeKb = Math.ceil((await stat(program)).size / 1024) + files.length * 4;
    const sums = files.filter(({ isConfig }) => !isConfig);
    const paths = [PROGRAM_PATH, ...sums.map((file) => file.path)].sort();
    const md5 = await Promise.all(paths.map((name) => md5Line(root, name)));
    for (const file of controlFiles({ version, arch, sizeKb, md5: md5.join("") })) {
      write(join(root, "DEBIAN"), file);
    }
    const unfinished = join(folder, "llmlb.deb");
    await runDpkgDeb(root, unfinished, date);
    mkdirSync(out, { recursive: true });
    // It may be another file system than the temporary folder's.
    await copyFile(unfinished, `${path}.new`);
    await rename(`${path}.new`, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}

function write(root: string, { path, content, mode = 0o644 }: PackageFile): void {
  const place = join(root, path);
  // Whatever the umask, everybody may enter the system's folders.
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
  chmodSync(place, mode);
}

async function md5Line(root: string, path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("md5");
  for await (const chunk of Bun.file(join(root, path)).stream()) hasher.update(chunk);
  return `${hasher.digest("hex")}  ${path}\n`;
}

async function runDpkgDeb(root: string, out: string, date: Date): Promise<void> {
  if (Bun.which("dpkg-deb") === null) {
    throw new Error(`Making ${out}: dpkg-deb is missing; apt-get install dpkg, brew install dpkg.`);
  }
  // Most of the program is compressed already: better methods take minutes for little.
  const how = ["--root-owner-group", "-Zzstd", "-z3", "--build", root, out];
  // Folders are made with this umask; the dates of all files are limited to this one.
  const command = ["sh", "-c", 'chmod -R u=rwX,go=rX "$0" && exec dpkg-deb "$@"', root, ...how];
  const epoch = String(Math.floor(date.getTime() / 1000));
  const child = Bun.spawn(command, {
    env: { PATH: process.env.PATH ?? "", SOURCE_DATE_EPOCH: epoch },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [code, said] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (code !== 0) throw new Error(`Making ${out}: dpkg-deb ended with status ${code}: ${said}`);
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: {
        program: { type: "string" },
        arch: { type: "string", default: "amd64" },
        version: { type: "string", default: pkg.version },
        out: { type: "string", default: "dist" },
      },
    });
    const { program, arch, version, out } = values;
    if (program === undefined) throw new Error("Making a package: --program FILE is needed.");
    if (arch !== "amd64" && arch !== "arm64") {
      throw new Error(`Making a package: --arch ${arch} must be amd64 or arm64.`);
    }
    const options = { program: resolve(program), arch, version, date: new Date() } as const;
    process.stdout.write(`${await makeDeb({ ...options, out: resolve(out) })}\n`);
  } catch (cause) {
    process.stderr.write(`llmlb: ${errorMessage(cause)}\n`);
    process.exit(1);
  }
}
