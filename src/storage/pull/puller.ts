import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { SourceFolders } from "../../config/modelsources.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import { localName } from "../../model/filename.ts";
import { GgufFormatError } from "../../model/gguf.ts";
import { readGguf } from "../../model/ggufreader.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import type { FileRecord } from "../modelrecord.ts";
import { adoptFile } from "../sources/adoption.ts";
import { DiskSpace } from "./diskspace.ts";
import { isReadOnly } from "./error.ts";
import { pullFile } from "./filepull.ts";
import {
  claimFolder,
  commitFolder,
  type FolderClaim,
  type FolderClaimOptions,
} from "./folderclaim.ts";
import { allowedOrigins, tokenFor } from "./hubaccess.ts";
import { ModelPull, type PullRequest } from "./modelpull.ts";
import { notedBytes } from "./partfile.ts";
import { findPresentFiles } from "./presentfiles.ts";
import { Progress } from "./progress.ts";
import { fetchBytes } from "./rangefetch.ts";
import { RETRY_LIMIT_DEFAULT, type RetryLimitOptions } from "./retrylimit.ts";
import { Throttle } from "./throttle.ts";

export interface PullerOptions {
  /** Absolute path of the models folder. */
  root: string;
  /** Address of the hub, the only place that gets the token. */
  hubUrl: string;
  /** `HF_TOKEN` of this host. */
  token?: string | undefined;
  /** Patterns of where files may come from; see `isAllowed`. */
  origins: string[];
  /** For all pulls together; default and 0: no limit. */
  maxBytesPerSecond?: number;
  /** Open connections of all pulls. Default: 8. */
  connections?: number;
  /** Most ranges of one file, and files of one model, at the same time. Default: 4. */
  parallel?: number;
  /**
   * Size of a range. Default: 64 MiB, large enough that requests cost next to nothing, small enough
   * that all ranges end at about the same time.
   */
  segmentBytes?: number;
  /** Time after which one more range is begun if those that run are slow. Default: 500 ms. */
  rampMs?: number;
  /** Longest silence of a server. Default: 30 s. */
  idleMs?: number;
  /** How long a range may be far slower than others before it is asked for anew. Default: 30 s. */
  slowMs?: number;
  retryLimit?: RetryLimitOptions;
  /** Where other programs have files that need not be fetched. Default: nowhere. */
  sources?: SourceFolders;
  /** Called when a source is given up, or an optional file cannot be fetched. */
  onTrouble?(model: string, what: string, cause: unknown): void;
}

/** The files of a model after its pull. */
export interface PullResult {
  folder: string;
  files: FileRecord[];
  /** Names of the optional files that could not be fetched. */
  absent: string[];
}

/** A pull that has been started. */
export interface Pull {
  progress: Progress;
  /** Rejects with `PullError` or the signal's reason. `progress` ends at the same time. */
  result: Promise<PullResult>;
}

/**
 * Pulls models into the models folder. All pulls of a process share one puller: its bandwidth, its
 * connections, its count of free space.
 */
export class Puller {
  readonly #options: Required<Omit<PullerOptions, "token">> & Pick<PullerOptions, "token">;
  readonly throttle: Throttle;
  readonly #connections: Semaphore;
  readonly #space = new DiskSpace();

  constructor(options: PullerOptions) {
    this.#options = {
      maxBytesPerSecond: 0,
      connections: 8,
      parallel: 4,
      rampMs: 500,
      segmentBytes: 64 * 1024 * 1024,
      idleMs: 30_000,
      slowMs: 30_000,
      retryLimit: RETRY_LIMIT_DEFAULT,
      sources: { hub: [], lmStudio: [], ollama: [] },
      onTrouble: () => undefined,
      ...options,
    };
    this.throttle = new Throttle({ bytesPerSecond: this.#options.maxBytesPerSecond });
    this.#connections = new Semaphore(this.#options.connections);
  }

  /** Starts to fetch those files of a model that are missing. */
  pull(request: PullRequest): Pull {
    const progress = new Progress(request.manifest.model);
    const result = this.#run(request, progress);
    endWith(progress, result);
    return { progress, result };
  }

  /**
   * Starts to fetch a file that belongs to no model, to `path`. It may come from anywhere: its hash
   * has to be known.
   */
  fetchFile(artifact: Artifact & { sha256: string }, path: string, signal: AbortSignal) {
    const name = basename(path);
    const progress = new Progress(name);
    progress.expect(name, artifact.size_bytes);
    const { onTrouble, ...limits } = this.#options;
    const result = pullFile({
      ...{ artifact, name, path, signal, recorded: undefined, placedBy: "user" },
      sources: [{ url: artifact.url, token: undefined, peer: false }],
      fetch: {
        ...{ ...limits, throttle: this.throttle, connections: this.#connections, weight: 1 },
        allows: () => true,
      },
      onState: (state, bytes, total) => progress.file(name, state, bytes, total),
      onBytes: (count) => progress.received(name, count),
      onDropped: (source, cause) => onTrouble(name, `the source ${source.url}`, cause),
    });
    endWith(progress, result);
    return { progress, result };
  }

  /**
   * Reads the metadata of a GGUF file on the hub, with no more of its bytes than that takes. Throws
   * `GgufFormatError`, `PullError`, or the signal's reason.
   */
  async header({ origin_allowlist: listed }: Manifest, { url }: Artifact, signal: AbortSignal) {
    const { origins, idleMs, retryLimit } = this.#options;
    const source = { url, token: tokenFor(url, this.#options), peer: false };
    const allows = allowedOrigins(origins, listed);
    const request = { source, allows, idleMs, ifRange: undefined, signal };
    return readGguf((start, length) => {
      return fetchBytes({ ...request, start, end: start + length }, retryLimit);
    });
  }

  /** As `header`; undefined for a file that is not GGUF. */
  async headerOrNone(manifest: Manifest, artifact: Artifact, signal: AbortSignal) {
    try {
      return await this.header(manifest, artifact, signal);
    } catch (error) {
      if (error instanceof GgufFormatError) return undefined;
      throw error;
    }
  }

  async #run(request: PullRequest, progress: Progress): Promise<PullResult> {
    const { manifest, signal } = request;
    const options: FolderClaimOptions = { ...request, root: this.#options.root };
    for (const artifact of request.files) {
      progress.expect(localName(artifact.filename), artifact.size_bytes);
    }
    const claim = await claimFolder(options).catch(async (error: unknown) => {
      // Where nothing is lacking, nothing has to be written.
      const present = isReadOnly(error) ? await findPresentFiles(options, progress) : undefined;
      if (present === undefined) throw error;
      return present;
    });
    if ("absent" in claim) return claim;
    await this.#adopt(claim, request, progress);
    await noteExistingBytes(claim, request.files, progress);
    const left = () => {
      const { total_bytes: total, bytes } = progress.snapshot();
      return total - bytes;
    };
    using _ = await this.#space.reserve(claim.folder, manifest.model, left);
    const stop = new AbortController();
    const run = new ModelPull(claim, request, {
      ...this.#options,
      progress,
      throttle: this.throttle,
      connections: this.#connections,
      signal: AbortSignal.any([signal, stop.signal]),
      stop: (cause) => stop.abort(cause),
    });
    await run.fetchAll();
    await commitFolder(claim, options, run.files);
    return { folder: claim.folder, files: run.files, absent: run.absent };
  }

  /** Links those files that other programs have; they count as recorded by an earlier pull. */
  async #adopt(claim: FolderClaim, request: PullRequest, progress: Progress): Promise<void> {
    const { manifest, files, placedBy, signal } = request;
    for (const artifact of files) {
      const name = localName(artifact.filename);
      const adopted = await adoptFile(artifact, join(claim.folder, name), {
        ...{ repo: manifest.repo, folders: this.#options.sources, signal },
        onVerify: (bytes) => progress.file(name, "verifying", bytes, bytes),
      });
      if (adopted === undefined) continue;
      const { sizeBytes, mtimeMs } = adopted;
      const owner = claim.planned.get(name) ?? placedBy;
      const verified = { size_bytes: sizeBytes, sha256: artifact.sha256, mtime_ms: mtimeMs };
      claim.recorded.set(name, { name, ...verified, placed_by: owner });
    }
  }
}

function endWith(progress: Progress, result: Promise<unknown>): void {
  result.then(
    () => progress.end(null),
    (error: unknown) => progress.end(errorMessage(error)),
  );
}

/** Counts the bytes that are in the folder already, whole files and parts. */
async function noteExistingBytes(
  { folder }: FolderClaim,
  files: Artifact[],
  progress: Progress,
): Promise<void> {
  for (const { filename } of files) {
    const name = localName(filename);
    const path = join(folder, name);
    const size = (await stat(path).catch(() => undefined))?.size;
    progress.file(name, "waiting", size ?? (await notedBytes(path)));
  }
}
