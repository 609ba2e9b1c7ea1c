import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { environment } from "../../config/environment.ts";
import type { PluginPin } from "../../engine/plugin/pin.ts";
import { closeIdleConnections } from "../../http/client/exchange.ts";
import { PullError, type PullFailure } from "../../storage/pull/error.ts";
import { Puller } from "../../storage/pull/puller.ts";
import { printNote } from "../terminal/output.ts";
import { createPullDisplay, showProgress } from "../terminal/pulldisplay.ts";

/** Where a backend's library was found. */
export interface PluginSource {
  library: Blob;
  /** Removes what was fetched. */
  dispose?(): Promise<void>;
}

/** Failures of a download without this host's credentials, with which Bun may do better. */
const REFUSALS = new Set<PullFailure>(["unauthorized", "not_found"]);

/**
 * Fetches the package of a backend from the registry of this host's configuration, which Bun knows:
 * this executable is Bun, too. A download that broke off goes on where it stopped, within this call
 * and in the next one. A registry that wants credentials gets them from Bun's own package manager,
 * which cannot go on. Throws if it fails.
 */
export async function fetchedPackage(
  pin: PluginPin,
  { home, signal }: { home: string; signal: AbortSignal },
): Promise<PluginSource> {
  const url = await addressOf(pin);
  if (url === undefined) return await packageByBun(pin);
  const folder = join(home, "native", "downloads");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${pin.package.replace("@", "").replace("/", "-")}-${pin.version}.tgz`);
  try {
    await download(url, { pin, path, signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof PullError)) throw error;
    if (!REFUSALS.has(error.failure)) throw new Error(inOwnWords(error.message), { cause: error });
    printNote("The registry refuses it: trying with the credentials of .npmrc and bunfig.toml.");
    return await packageByBun(pin);
  } finally {
    closeIdleConnections();
  }
  const dispose = () => rm(folder, { recursive: true, force: true });
  return { ...(await libraryInFile(pin, path)), dispose };
}

/** The message of a failed pull without what is said of models and their hub. */
function inOwnWords(message: string): string {
  return message
    .replace(/ If the file was changed on the hub.*$/s, "")
    .replace("pull again", "install again");
}

interface DownloadOptions {
  pin: PluginPin;
  path: string;
  signal: AbortSignal;
}

async function download(url: string, { pin, path, signal }: DownloadOptions): Promise<void> {
  const artifact = {
    ...{ ...pin.archive, url, filename: basename(path), format: "config" as const },
    ...{ git_oid: null, quantization: null, priority: 0, runtimes: [], optional: false },
  };
  const puller = new Puller({ root: "", hubUrl: url, origins: [] });
  const { progress, result } = puller.fetchFile(artifact, path, signal);
  result.catch(() => undefined); // It is awaited below.
  const shown = progress.watch(new AbortController().signal);
  await showProgress(shown, await createPullDisplay());
  await result;
}

/** Where the registry has a package; undefined if it does not say. */
async function addressOf(pin: PluginPin): Promise<string | undefined> {
  const name = `${pin.package}@${pin.version}`;
  const child = asBun(["info", name, "dist.tarball"], tmpdir(), ["ignore", "pipe", "ignore"]);
  const answer = (await new Response(child.stdout as ReadableStream).text()).trim();
  return (await child.exited) === 0 && /^https?:/.test(answer) ? answer : undefined;
}

async function packageByBun(pin: PluginPin): Promise<PluginSource> {
  const folder = await mkdtemp(join(tmpdir(), "llmlb-backend-"));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const manifest = { private: true, dependencies: { [pin.package]: pin.version } };
    await Bun.write(join(folder, "package.json"), JSON.stringify(manifest));
    const cache = `--cache-dir=${join(folder, "cache")}`;
    const args = ["install", "--ignore-scripts", "--no-save", "--production", cache];
    const output = process.stderr.fd;
    if ((await asBun(args, folder, ["ignore", output, output]).exited) !== 0) {
      throw new Error(`${pin.package} ${pin.version} could not be fetched, see above. Without a \
network, take the package from elsewhere and name its file with --from`);
    }
    return { library: Bun.file(join(folder, "node_modules", pin.package, pin.library)), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Starts this executable, or the Bun that runs the source, as Bun. */
function asBun(args: string[], cwd: string, stdio: ["ignore", "pipe" | number, "ignore" | number]) {
  return Bun.spawn([process.execPath, ...args], {
    ...{ cwd, stdio, env: { ...environment(), BUN_BE_BUN: "1" } },
  });
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
