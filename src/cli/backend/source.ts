import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "../../config/environment.ts";
import type { PluginPin } from "../../engine/plugin/pin.ts";

/** Where a backend's library was found. */
export interface PluginSource {
  library: Blob;
  /** Removes what was fetched. */
  dispose?(): Promise<void>;
}

/**
 * Fetches a package with Bun's own package manager, which this executable is, too: registry, proxy
 * and keys are those of this host's configuration. Throws if it fails.
 */
export async function fetchedPackage(pin: PluginPin): Promise<PluginSource> {
  const folder = await mkdtemp(join(tmpdir(), "llmlb-backend-"));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const manifest = { private: true, dependencies: { [pin.package]: pin.version } };
    await Bun.write(join(folder, "package.json"), JSON.stringify(manifest));
    const cache = `--cache-dir=${join(folder, "cache")}`;
    const child = Bun.spawn(
      [process.execPath, "install", "--ignore-scripts", "--no-save", "--production", cache],
      {
        cwd: folder,
        env: { ...environment(), BUN_BE_BUN: "1" },
        stdio: ["ignore", process.stderr.fd, process.stderr.fd],
      },
    );
    if ((await child.exited) !== 0) {
      throw new Error(`${pin.package} ${pin.version} could not be fetched, see above. Without a \
network, take the package from elsewhere and name its file with --from`);
    }
    return { library: Bun.file(join(folder, "node_modules", pin.package, pin.library)), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The library in a file: a package as npm packs it, or the library itself. Throws if not. */
export async function libraryInFile(pin: PluginPin, path: string): Promise<PluginSource> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new Error(`there is no file ${path}`);
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (first !== 0x1f || second !== 0x8b) return { library: file };
  const member = `package/${pin.library}`;
  const files = await new Bun.Archive(await file.bytes()).files(member);
  const library = files.get(member);
  if (library === undefined)
    throw new Error(`${path} has no ${member}: give the package ${pin.package}`);
  return { library };
}
